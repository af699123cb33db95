import { byId, element } from "./dom.ts";

/** The fields of a form, each with a hint before it and room for an error after it. */
export class Fields {
  readonly #inputs: ReadonlyMap<string, HTMLInputElement>;

  constructor(ids: readonly string[]) {
    this.#inputs = new Map(ids.map((id) => [id, byId(id, HTMLInputElement)]));
    for (const [id, input] of this.#inputs) {
      input.setAttribute("aria-describedby", `${id}-hint`);
      input.addEventListener("input", () => this.#clearError(id, input));
    }
  }

  value(id: string): string {
    return this.#input(id).value.trim();
  }

  fill(values: Readonly<Record<string, string>>): void {
    this.clearErrors();
    for (const [id, value] of Object.entries(values)) this.#input(id).value = value;
  }

  setError(id: string, text: string): void {
    const input = this.#input(id);
    this.#clearError(id, input);
    const error = element("p", text, "field-error");
    error.id = `${id}-error`;
    input.after(error);
    input.setAttribute("aria-invalid", "true");
    input.setAttribute("aria-describedby", `${id}-hint ${error.id}`);
  }

  clearErrors(): void {
    for (const [id, input] of this.#inputs) this.#clearError(id, input);
  }

  /** Moves the focus to the first field that is not right, where there is one. */
  focusFirstError(): boolean {
    const wrong = [...this.#inputs.values()].find((input) => input.getAttribute("aria-invalid") === "true");
    wrong?.focus();
    return wrong !== undefined;
  }

  #clearError(id: string, input: HTMLInputElement): void {
    document.getElementById(`${id}-error`)?.remove();
    input.removeAttribute("aria-invalid");
    input.setAttribute("aria-describedby", `${id}-hint`);
  }

  #input(id: string): HTMLInputElement {
    const input = this.#inputs.get(id);
    if (input === undefined) throw new Error(`the form has no field ${id}`);
    return input;
  }
}
