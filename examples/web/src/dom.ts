/** The element of the page with this id, which is of this type. */
export function byId<T extends HTMLElement>(id: string, type: abstract new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`the page has no ${id}`);
  return found;
}

/** A new element with this text. Texts of a code go in here alone: never as HTML. */
export function element(name: keyof HTMLElementTagNameMap, text: string, className?: string): HTMLElement {
  const made = document.createElement(name);
  made.textContent = text;
  if (className !== undefined) made.className = className;
  return made;
}

/** Says something in a status line, which screen readers read out. */
export function say(place: HTMLElement, text: string, kind: "info" | "error" | "good" = "info"): void {
  place.textContent = text;
  place.className = `message ${kind}`;
}
