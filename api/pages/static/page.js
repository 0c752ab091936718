// What a page does besides what htmx does for it: times of here, a clock, sharing and copying. Without it all is there too.
"use strict";
(() => {
  const language = document.documentElement.lang;
  const written = {
    weekday: "short", day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit",
    timeZoneName: "short",
  };

  // Times are sent in UTC; here they are those of the clock on the wall.
  function tellLocalTimes() {
    for (const time of document.querySelectorAll("time[datetime]")) {
      const moment = new Date(time.dateTime);
      if (!Number.isNaN(moment.getTime())) time.textContent = moment.toLocaleString(language, written);
    }
  }

  const two = (number) => String(number).padStart(2, "0");

  function tick(clock) {
    const left = Math.floor((new Date(clock.dataset.ends) - Date.now()) / 1000);
    if (left <= 0) {
      clock.textContent = clock.dataset.over;
      return;
    }
    const days = Math.floor(left / 86400);
    const rest = [Math.floor(left / 3600) % 24, Math.floor(left / 60) % 60, left % 60].map(two).join(":");
    clock.textContent = days ? `${days} ${clock.dataset.days} ${rest}` : rest;
  }

  function startClocks() {
    for (const clock of document.querySelectorAll("[data-ends]")) {
      clock.parentElement.hidden = false;
      tick(clock);
      setInterval(() => tick(clock), 1000);
    }
  }

  async function copy(button) {
    const field = document.getElementById(button.dataset.copies);
    try {
      await navigator.clipboard.writeText(field.value);
    } catch {
      field.select();
      document.execCommand("copy"); // where the clipboard may not be written to otherwise
    }
    const said = button.dataset.said ??= button.textContent; // not what a press just now made of it
    button.textContent = button.dataset.done;
    setTimeout(() => { button.textContent = said; }, 2000);
  }

  function share({ dataset: { shares: url, title, text } }) {
    navigator.share({ url, title, text }).catch(() => {}); // whoever thinks better of it has done nothing wrong
  }

  // Buttons are there where they can do something.
  function offerButtons() {
    for (const button of document.querySelectorAll("[data-copies]")) button.hidden = false;
    for (const button of document.querySelectorAll("[data-shares]")) button.hidden = !navigator.share;
  }

  function press({ target }) {
    const button = target.closest("[data-copies], [data-shares]");
    if (button) (button.dataset.shares ? share : copy)(button);
  }

  // The word "live" is there while it is true.
  function showLive(isLive) {
    for (const sign of document.querySelectorAll("[data-live]")) sign.hidden = !isLive;
  }

  // What could not be watched at first is asked for again; a stream that broke off comes back by itself.
  function watchAgain({ target }) {
    if (target.id !== "live") return;
    const again = () => window.htmx.ajax("GET", target.getAttribute("data-hx-sse:connect"), { source: target });
    setTimeout(again, 5000 + Math.random() * 10000);
  }

  function makeAtHome() {
    tellLocalTimes();
    offerButtons();
  }

  // A page kept in memory shows a payment that may be made by now.
  function lookAgain({ persisted }) {
    if (persisted && document.querySelector("[data-paying]")) location.reload();
  }

  makeAtHome();
  startClocks();
  addEventListener("pageshow", lookAgain);
  document.addEventListener("click", press);
  document.addEventListener("htmx:after:swap", makeAtHome);
  document.addEventListener("htmx:after:sse:connection", () => showLive(true));
  document.addEventListener("htmx:response:error", watchAgain);
  document.addEventListener("htmx:error", watchAgain);
  document.addEventListener("htmx:sse:error", () => showLive(false));
  document.addEventListener("htmx:sse:close", () => showLive(false));
})();
