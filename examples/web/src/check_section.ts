import type { PulseTrust } from "@pulse/trust";

import { Camera } from "./camera.ts";
import { byId, say } from "./dom.ts";
import { joined } from "./joined.ts";
import { readImage } from "./qr_reader.ts";
import { ReportView } from "./report_view.ts";

/** "Check a code": a code comes in as text, image or from the camera, and a report comes out. */
export class CheckSection {
  readonly #pulse: PulseTrust;
  readonly #section = byId("check", HTMLElement);
  readonly #scanned = byId("scanned", HTMLTextAreaElement);
  readonly #image = byId("image", HTMLInputElement);
  readonly #status = byId("check-status", HTMLElement);
  readonly #report = new ReportView();
  readonly #camera: Camera;

  constructor(pulse: PulseTrust) {
    this.#pulse = pulse;
    this.#camera = new Camera(
      (text) => this.show(text),
      (text, kind) => say(this.#status, text, kind),
    );
    byId("check-form", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      this.#check();
    });
    byId("open-image", HTMLButtonElement).addEventListener("click", () => this.#image.click());
    byId("clear", HTMLButtonElement).addEventListener("click", () => this.#clear());
    this.#image.addEventListener("change", () => {
      const file = this.#image.files?.[0];
      this.#image.value = ""; // the same file may be chosen again
      if (file !== undefined) void this.#read(file);
    });
    this.#scanned.addEventListener("paste", (event) => {
      // What is pasted is in the field only after this event.
      if (!this.#take(event, event.clipboardData)) setTimeout(() => this.#check());
    });
    this.#scanned.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#check();
    });
    this.#takeDrops();
    this.#placeCamera();
  }

  /** Puts a code into the field and checks it. */
  show(code: string): void {
    this.#scanned.value = code;
    this.#check();
  }

  #check(): void {
    if (this.#scanned.value.trim() === "") {
      this.#report.clear();
      say(this.#status, "There is no code yet. Paste, open or scan one.", "error");
      return this.#scanned.focus();
    }
    say(this.#status, "");
    this.#scanned.value = joined(this.#scanned.value);
    const report = this.#pulse.checkPairingCode(this.#scanned.value);
    try {
      this.#report.show(report, this.#scanned.value);
    } finally {
      report.code?.close();
    }
  }

  #clear(): void {
    this.#camera.stop();
    this.#scanned.value = "";
    this.#report.clear();
    say(this.#status, "Cleared.");
    this.#scanned.focus();
  }

  async #read(file: Blob): Promise<void> {
    this.#camera.stop();
    this.#report.clear();
    say(this.#status, "Reading the image.");
    try {
      const text = await readImage(file);
      if (text !== undefined) return this.show(text);
      say(this.#status, "No QR code was found in this image. Try a sharper or closer one.", "error");
    } catch {
      say(this.#status, "The browser cannot open this file as an image.", "error");
    }
  }

  /** Takes an image, where there is one among what was pasted or dropped. */
  #take(event: Event, data: DataTransfer | null): boolean {
    const file = [...(data?.files ?? [])].find(({ type }) => type.startsWith("image/")) ?? data?.files[0];
    if (file === undefined) return false;
    event.preventDefault();
    void this.#read(file);
    return true;
  }

  /** Whoever holds a phone scans; at a desk a code is pasted more often. */
  #placeCamera(): void {
    if (!matchMedia("(max-width: 40rem), (pointer: coarse)").matches) return;
    const button = byId("scan", HTMLButtonElement);
    button.classList.add("primary");
    byId("camera-first", HTMLElement).append(button);
  }

  #takeDrops(): void {
    this.#section.addEventListener("dragover", (event) => {
      event.preventDefault();
      this.#section.classList.add("dropping");
    });
    this.#section.addEventListener("dragleave", () => this.#section.classList.remove("dropping"));
    this.#section.addEventListener("drop", (event) => {
      this.#section.classList.remove("dropping");
      if (this.#take(event, event.dataTransfer)) return;
      event.preventDefault();
      const text = event.dataTransfer?.getData("text/plain") ?? "";
      if (text !== "") this.show(text);
    });
  }
}
