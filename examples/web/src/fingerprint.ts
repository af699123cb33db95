/** Shows a fingerprint as lines of eight pairs, which people can compare one by one. */
export function showFingerprint(place: HTMLElement, fingerprint: string): void {
  const pairs = fingerprint.split(":");
  const lines: Node[] = [];
  for (let start = 0; start < pairs.length; start += 8) {
    if (start > 0) lines.push(document.createElement("wbr"));
    const line = document.createElement("span");
    line.textContent = pairs.slice(start, start + 8).join(":") + (start + 8 < pairs.length ? ":" : "");
    lines.push(line);
  }
  place.replaceChildren(...lines);
}

/** What comparing with a fingerprint that was typed or pasted gives. */
export function compareFingerprints(expected: string, received: string): "empty" | "incomplete" | "same" | "different" {
  const wanted = expected.toUpperCase().replaceAll(/[^0-9A-F]/g, "");
  if (expected.trim() === "") return "empty";
  const seen = received.replaceAll(":", "");
  if (/[^0-9a-f\s:.-]/i.test(expected)) return "different";
  if (wanted === seen) return "same";
  return seen.startsWith(wanted) ? "incomplete" : "different";
}
