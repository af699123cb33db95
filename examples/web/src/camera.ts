import { byId } from "./dom.ts";
import { readPicture } from "./qr_reader.ts";

/** How long to wait between two pictures, and how many pixels of one are looked at. */
const PAUSE_MS = 120;
const SIDE = 900;

/** The camera: it runs from the button's press until a code is found, the button is pressed again, or Escape. */
export class Camera {
  readonly #button = byId("scan", HTMLButtonElement);
  readonly #video = byId("camera", HTMLVideoElement);
  readonly #found: (text: string) => void;
  readonly #say: (text: string, kind?: "error") => void;
  /** Counts the runs, so that one that was stopped while it started notices. */
  #run = 0;
  #stream: MediaStream | undefined;

  constructor(found: (text: string) => void, say: (text: string, kind?: "error") => void) {
    this.#found = found;
    this.#say = say;
    this.#button.addEventListener("click", () => {
      if (this.#button.getAttribute("aria-pressed") === "true") {
        this.stop();
        this.#say("The camera is off.");
      } else {
        void this.#start();
      }
    });
    document.addEventListener("keydown", ({ key }) => {
      if (key !== "Escape" || this.#stream === undefined) return;
      this.stop();
      this.#say("The camera is off.");
      this.#button.focus();
    });
    addEventListener("pagehide", () => this.stop());
  }

  /** Turns the camera off, where it is on. */
  stop(): void {
    this.#run++;
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = undefined;
    this.#video.srcObject = null;
    this.#video.hidden = true;
    this.#button.setAttribute("aria-pressed", "false");
  }

  async #start(): Promise<void> {
    const run = ++this.#run;
    this.#button.setAttribute("aria-pressed", "true");
    this.#say("Waiting for the camera.");
    try {
      if (navigator.mediaDevices === undefined) throw new DOMException("no camera here", "NotFoundError");
      const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
      if (run !== this.#run) return stream.getTracks().forEach((track) => track.stop());
      this.#stream = stream;
      this.#video.srcObject = stream;
      this.#video.hidden = false;
      await this.#video.play();
      this.#say("The camera is on: hold the QR code in front of it. Escape turns it off.");
      await this.#watch(run);
    } catch (error) {
      if (run !== this.#run) return;
      this.stop();
      this.#say(refusal(error), "error");
    }
  }

  async #watch(run: number): Promise<void> {
    while (run === this.#run) {
      const { videoWidth, videoHeight } = this.#video;
      const text = videoWidth > 0 ? await readPicture(this.#video, videoWidth, videoHeight, SIDE) : undefined;
      if (run !== this.#run) return;
      if (text !== undefined) {
        this.stop();
        return this.#found(text);
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}

function refusal(error: unknown): string {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotAllowedError") return "The browser does not let this page use the camera.";
  if (name === "NotFoundError") return "There is no camera that this page can use.";
  return "The camera could not be started. Another program may be using it.";
}
