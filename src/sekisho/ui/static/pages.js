// What scripts add to the pages. Every page works without this file.

const forms = document.querySelectorAll("form");
const texts = document.body.dataset;
const SLOW_AFTER_MS = 4_000;
const PATIENCE_MS = 15_000;

// A second click sends nothing, the button says that something happens, and a form goes off only while the server
// answers: the browser's own page for a server that is away would lose what was typed.
for (const form of forms) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (form.dataset.sent) return;
    form.dataset.sent = "yes";
    const button = event.submitter ?? form.querySelector("button[type=submit]");
    begin(form, button);
    if (await answers()) {
      form.submit();
      return;
    }
    end(form);
    say(form, texts.away, "alert");
    if (button) button.textContent = texts.tryAgain;
  });
}

// The smallest thing that the server itself has to give.
async function answers() {
  try {
    const options = { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) };
    return (await fetch(document.getElementById("icon").href, options)).ok;
  } catch {
    return false;
  }
}

function begin(form, button) {
  if (button) {
    button.dataset.label ??= button.textContent;
    button.textContent = texts.busy;
    button.setAttribute("aria-busy", "true");
  }
  const slow = setTimeout(() => say(form, texts.slow, "status"), SLOW_AFTER_MS);
  form.dataset.slow = String(slow);
}

function end(form) {
  clearTimeout(Number(form.dataset.slow));
  delete form.dataset.sent;
  for (const button of form.querySelectorAll("[data-label]")) {
    button.textContent = button.dataset.label;
    button.removeAttribute("aria-busy");
  }
  say(form, "", "status");
}

function say(form, text, role) {
  form.querySelector(".own-message")?.remove();
  if (!text) return;
  const said = document.createElement("p");
  said.className = `message own-message ${role === "alert" ? "alert" : "notice"}`;
  said.setAttribute("role", role);
  form.prepend(said);
  // Into a place that is already there, or some readers say nothing.
  said.textContent = text;
}

// A page that comes back out of the browser's memory may send again.
addEventListener("pageshow", (event) => {
  if (event.persisted) for (const form of forms) end(form);
});

for (const button of document.querySelectorAll("[data-reveal]")) {
  const input = document.getElementById(button.dataset.reveal);
  const concealed = button.textContent;
  button.hidden = false;
  const show = (reveals) => {
    input.type = reveals ? "text" : "password";
    button.setAttribute("aria-pressed", String(reveals));
    button.textContent = reveals ? button.dataset.labelShown : concealed;
  };
  button.addEventListener("click", () => show(input.type === "password"));
  // The browser's memory of forms must never hold a password as plain text.
  input.form.addEventListener("submit", () => show(false));
}

for (const time of document.querySelectorAll("time[datetime]")) {
  const style = time.dataset.only === "date" ? { dateStyle: "medium" } : { dateStyle: "medium", timeStyle: "short" };
  time.textContent = new Intl.DateTimeFormat(document.documentElement.lang, style).format(new Date(time.dateTime));
}

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}
