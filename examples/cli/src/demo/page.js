// Shows what the demonstration's program says, and hands it what was pasted.
const byId = (id) => document.getElementById(id);
const PAUSE_MS = 400;

function show(state) {
  if (byId("shown").value === "") {
    byId("shown").value = state.code;
    byId("fingerprint").textContent = state.fingerprint;
    const drawn = new DOMParser().parseFromString(state.qr, "image/svg+xml").documentElement;
    byId("qr").replaceChildren(document.adoptNode(drawn));
    for (const { step, seen } of state.steps) addStep(step, seen);
  }
  if (state.paired !== null && byId("banner").className !== "good") {
    byId("banner").className = "good";
    byId("sign").textContent = "✓";
    byId("verdict").textContent = "Paired";
    addStep("Paired", state.paired);
  }
}

function addStep(step, seen) {
  const [term, description] = [document.createElement("dt"), document.createElement("dd")];
  term.textContent = step;
  description.textContent = seen;
  byId("steps").append(term, description);
}

byId("copy").addEventListener("click", () => {
  byId("code").value = byId("shown").value;
  byId("code").focus();
});

byId("phone").addEventListener("submit", async (event) => {
  event.preventDefault();
  const outcome = byId("outcome");
  outcome.className = "waiting";
  outcome.textContent = "The phone connects.";
  try {
    const headers = { "Content-Type": "application/json" };
    const answer = await fetch("/phone", { method: "POST", headers, body: JSON.stringify({ code: byId("code").value }) });
    if (!answer.ok) throw new Error(await answer.text());
    const { paired, seen } = await answer.json();
    outcome.className = paired ? "good" : "bad";
    outcome.textContent = `${paired ? "✓ Paired" : "✗ Not paired"}: ${seen}`;
  } catch (error) {
    outcome.className = "bad";
    outcome.textContent = `✗ ${error}`;
  }
});

for (;;) {
  try {
    show(await (await fetch("/state")).json());
  } catch {
    byId("banner").className = "bad";
    byId("sign").textContent = "✗";
    byId("verdict").textContent = "The demonstration has ended";
    break;
  }
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
}
