import { escape, Html } from "./html.ts";

/**
 * A small, safe part of Markdown: headings, lists, task boxes, quotes, fenced and inline code, bold, http(s) links,
 * tables shown as text. Everything else is text; nothing of the source reaches the page unescaped.
 */
export function markdown(source: string): Html {
  return new Html(blocks(source.replace(/\r\n?/g, "\n").split("\n"), 0));
}

/** Quotes in quotes stop being quotes here: a page of `>` must not exhaust the stack. */
const MAX_DEPTH = 5;

function blocks(lines: readonly string[], depth: number): string {
  const out: string[] = [];
  let paragraph: string[] = [];
  const flush = () => {
    if (paragraph.length > 0) out.push(`<p>${paragraph.map(inline).join("<br>")}</p>`);
    paragraph = [];
  };
  for (let at = 0; at < lines.length;) {
    const line = lines[at] ?? "";
    const fence = /^\s*(`{3,}|~{3,})/.exec(line)?.[1];
    const heading = /^(#{1,6})\s+(.*)$/.exec(line);
    if (fence !== undefined) {
      flush();
      const end = lines.findIndex((other, index) => index > at && other.trim().startsWith(fence));
      const stop = end === -1 ? lines.length : end;
      out.push(`<pre><code>${escape(lines.slice(at + 1, stop).join("\n"))}</code></pre>`);
      at = stop + 1;
    } else if (heading !== null) {
      flush();
      // The page has its own first and second level.
      const level = Math.min(6, (heading[1] ?? "").length + 2);
      out.push(`<h${level}>${inline(heading[2] ?? "")}</h${level}>`);
      at++;
    } else if (/^\s{0,3}>/.test(line) && depth < MAX_DEPTH) {
      flush();
      const quoted = take(lines, at, (other) => /^\s{0,3}>/.test(other));
      out.push(
        `<blockquote>${blocks(
          quoted.map((other) => other.replace(/^\s{0,3}> ?/, "")),
          depth + 1,
        )}</blockquote>`,
      );
      at += quoted.length;
    } else if (/^\s*([-*+]|\d+[.)])\s+/.test(line)) {
      flush();
      const isOrdered = /^\s*\d/.test(line);
      const items = take(lines, at, (other) => (isOrdered ? /^\s*\d+[.)]\s+/ : /^\s*[-*+]\s+/).test(other));
      const tag = isOrdered ? "ol" : "ul";
      out.push(`<${tag}>${items.map((item) => `<li>${listItem(item)}</li>`).join("")}</${tag}>`);
      at += items.length;
    } else if (/^\s*(-{3,}|\*{3,}|_{3,})\s*$/.test(line)) {
      flush();
      out.push("<hr>");
      at++;
    } else {
      if (line.trim() === "") flush();
      else paragraph.push(line);
      at++;
    }
  }
  flush();
  return out.join("\n");
}

function take(lines: readonly string[], from: number, belongs: (line: string) => boolean): string[] {
  const end = lines.findIndex((line, index) => index >= from && !belongs(line));
  return lines.slice(from, end === -1 ? lines.length : end);
}

function listItem(line: string): string {
  const text = line.replace(/^\s*([-*+]|\d+[.)])\s+/, "");
  const box = /^\[([ xX])\]\s+/.exec(text);
  return box ? `${box[1] === " " ? "☐" : "☑"} ${inline(text.slice(box[0].length))}` : inline(text);
}

function inline(text: string): string {
  // Code first, so that nothing inside it is taken for markup.
  return text
    .split(/(`[^`]+`)/)
    .map((part) =>
      part.length > 2 && part.startsWith("`") && part.endsWith("`")
        ? `<code>${escape(part.slice(1, -1))}</code>`
        : span(part),
    )
    .join("");
}

const LINK = /(\[[^\][]{1,500}\]\(https?:\/\/[^\s()<>"]{1,2000}\)|https?:\/\/[^\s<>"')\]]{1,2000})/;

function span(text: string): string {
  return text
    .split(LINK)
    .map((part, index) => {
      if (index % 2 === 0) return bold(part);
      const named = /^\[(.*)\]\((.*)\)$/.exec(part);
      const [label, address] = named ? [bold(named[1] ?? ""), named[2] ?? ""] : [escape(part), part];
      return `<a href="${escape(address)}" rel="noopener noreferrer nofollow">${label}</a>`;
    })
    .join("");
}

function bold(text: string): string {
  return escape(text).replace(/\*\*([^*]{1,1000})\*\*/g, "<strong>$1</strong>");
}
