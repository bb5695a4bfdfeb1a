// Blocks of code get a button that copies them. Without script they are read and marked as any text is.
import { copyText } from "./copy.js";

class CopyCode extends HTMLElement {
  connectedCallback() {
    if (this.querySelector("button")) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = this.dataset.copy;
    const told = document.createElement("span");
    told.className = "visually-hidden";
    told.setAttribute("role", "status");
    button.addEventListener("click", async () => {
      if (!(await copyText(this.code()))) return;
      button.textContent = told.textContent = this.dataset.copied;
      setTimeout(() => {
        button.textContent = this.dataset.copy;
        told.textContent = "";
      }, 2000);
    });
    this.querySelector(".code-head").append(button, told);
  }

  // What is typed in a session of a terminal, without what the program answers; else everything.
  code() {
    const typed = [...this.querySelectorAll(".typed")];
    const text = typed.length > 0 ? typed.map((part) => part.textContent).join("") : this.querySelector("code").textContent;
    return text.trimEnd();
  }
}

customElements.define("copy-code", CopyCode);

// The contents show which part is being read.
const links = new Map(
  [...document.querySelectorAll(".manual-contents a")].map((link) => [decodeURIComponent(link.hash.slice(1)), link]),
);
const headings = [...document.querySelectorAll(".manual-text h2[id], .manual-text h3[id]")].filter((heading) => links.has(heading.id));

function mark() {
  const line = window.innerHeight / 4;
  const read = headings.filter((heading) => heading.getBoundingClientRect().top < line).at(-1);
  for (const [id, link] of links) {
    if (id === read?.id) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}

if (headings.length > 0) {
  let waits = false;
  addEventListener(
    "scroll",
    () => {
      if (waits) return;
      waits = true;
      requestAnimationFrame(() => {
        waits = false;
        mark();
      });
    },
    { passive: true },
  );
  mark();
}
