// What scripts add to the pages. Every page works without this file.

const forms = document.querySelectorAll("form");

// A second click sends nothing; the button says that something happens.
for (const form of forms) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    const button = event.submitter;
    if (button && form.dataset.busy) {
      button.dataset.label = button.textContent;
      button.textContent = form.dataset.busy;
      button.setAttribute("aria-busy", "true");
    }
  });
}

// A page that comes back out of the browser's memory may send again.
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const form of forms) {
    delete form.dataset.sent;
    for (const button of form.querySelectorAll("[data-label]")) {
      button.textContent = button.dataset.label;
      button.removeAttribute("aria-busy");
    }
  }
});

for (const button of document.querySelectorAll("[data-reveal]")) {
  const input = document.getElementById(button.dataset.reveal);
  const concealed = button.textContent;
  button.hidden = false;
  button.addEventListener("click", () => {
    const reveals = input.type === "password";
    input.type = reveals ? "text" : "password";
    button.setAttribute("aria-pressed", String(reveals));
    button.textContent = reveals ? button.dataset.labelShown : concealed;
  });
  // The browser's memory of forms must never hold a password as plain text.
  input.form.addEventListener("submit", () => {
    input.type = "password";
  });
}

for (const time of document.querySelectorAll("time[datetime]")) {
  const style = time.dataset.only === "date" ? { dateStyle: "medium" } : { dateStyle: "medium", timeStyle: "short" };
  time.textContent = new Intl.DateTimeFormat(document.documentElement.lang, style).format(new Date(time.dateTime));
}
