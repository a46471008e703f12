"use strict";

// What the page shows of the server that sent it. Everything here is also in the answers that
// curl prints; without scripts the page says so.

const notes = {
  uring: "io_uring: operations are handed to the kernel in batches and come back completed.",
  epoll: "epoll: the kernel says which sockets are ready, and upcall completes the operations.",
  poll: "poll: the portable way to wait for many sockets. Slower the more of them there are.",
  select: "select: the oldest way to wait for many sockets, and the one with the lowest limit.",
  sigio: "sigio: the kernel sends a signal when a socket is ready, and upcall takes it as an event.",
  blocking: "blocking: one thread for each operation. This is what asynchronous I/O replaces.",
  kqueue: "kqueue: the event interface of the BSDs and macOS.",
  iocp: "I/O completion ports: the completion interface of Windows.",
};

const byId = (id) => document.getElementById(id);
let etag = "";

const milliseconds = (ms) => (ms < 10 ? ms.toFixed(1) : Math.round(ms)) + " ms";

async function ask(path, options) {
  const begun = performance.now();
  const response = await fetch(path, { cache: "no-store", ...options });
  const text = options.method === "HEAD" ? "" : await response.text();
  return { response, text, ms: performance.now() - begun };
}

async function showServer() {
  const answers = [];
  for (let i = 0; i < 3; ++i) answers.push(await ask(location.pathname, { method: "HEAD" }));
  const { response } = answers[0];
  const ms = Math.min(...answers.map((answer) => answer.ms));
  const server = response.headers.get("Server") || "unknown";
  const [, driver] = server.match(/^upcall\/.*\((.*)\)/) || [];
  etag = response.headers.get("ETag") || "";
  byId("driver").textContent = driver || "unknown";
  byId("server").textContent = server.replace(/ \(.*/, "");
  byId("timing").textContent = milliseconds(ms);
  const [page] = performance.getEntriesByType("navigation");
  const protocol = page && page.nextHopProtocol;
  byId("protocol").textContent = protocol ? protocol.toUpperCase().replace(/^H(?=\d)/, "HTTP/") : "HTTP/1.1";
  byId("driver-note").textContent = driver
    ? notes[driver] || ""
    : "The answer names no driver, so another server than upcall has sent it.";
  for (const place of document.querySelectorAll("[data-origin]"))
    place.textContent = location.origin;
  for (const place of document.querySelectorAll("[data-etag]"))
    if (etag) place.textContent = etag;
}

const questions = {
  head: { method: "HEAD", path: "/", fields: {} },
  range: { method: "GET", path: "/", fields: { Range: "bytes=0-19" } },
  fresh: { method: "HEAD", path: "/", fields: {} },
  missing: { method: "GET", path: "/not-there", fields: {} },
  post: { method: "POST", path: "/", fields: {} },
};

function add(parent, tag, text, kind) {
  const element = document.createElement(tag);
  element.textContent = text;
  if (kind) element.className = kind;
  parent.append(element);
}

async function showAnswer(name) {
  const answer = byId("answer");
  const { method, path, fields } = questions[name];
  const headers = name === "fresh" ? { "If-None-Match": etag } : fields;
  const { response, text, ms } = await ask(path, { method, headers });
  answer.replaceChildren();
  add(answer, "b", `${method} ${path}\n`);
  for (const [field, value] of Object.entries(headers)) add(answer, "i", `${field}: ${value}\n`);
  answer.append("\n");
  add(answer, "b", `${response.status} ${response.statusText}`, response.status < 400 ? "good" : "bad");
  add(answer, "i", `   after ${milliseconds(ms)}\n`);
  for (const [field, value] of response.headers) answer.append(`${field}: ${value}\n`);
  if (response.status === 206) answer.append(`\n${text}\n`);
}

async function showMeasurement() {
  const answer = byId("answer");
  const times = [];
  answer.textContent = "asking 200 times, one after the other …";
  for (let i = 0; i < 200; ++i) times.push((await ask("/", { method: "HEAD" })).ms);
  const sorted = [...times].sort((a, b) => a - b);
  const scale = sorted[195];
  const bars = document.createElement("div");
  bars.className = "bars";
  for (let i = 0; i < times.length; i += 2) {
    const bar = document.createElement("span");
    bar.style.height = `${Math.min(100, (50 * (times[i] + times[i + 1])) / scale)}%`;
    bars.append(bar);
  }
  answer.replaceChildren();
  add(answer, "b", "HEAD /, 200 times over one connection\n");
  answer.append(bars);
  answer.append(`median ${milliseconds(sorted[100])}     fastest ${milliseconds(sorted[0])}     ` +
    `slowest ${milliseconds(sorted[199])}\n\n`);
  add(answer, "i", "Nearly all of this is the browser's own time. Programs measure better:\n");
  add(answer, "i", `wrk -c 64 -t 1 -d 5s ${location.origin}/`);
}

async function press(button) {
  for (const each of byId("buttons").children) each.setAttribute("aria-pressed", each === button);
  try {
    const name = button.dataset.ask;
    await (name === "measure" ? showMeasurement() : showAnswer(name));
  } catch (error) {
    byId("answer").textContent = `No answer: ${error.message}`;
  }
}

byId("buttons").addEventListener("click", (event) => {
  if (event.target.dataset.ask) press(event.target);
});

showServer().catch(() => {}).then(() => press(byId("buttons").children[0]));
