/** Copying several messages: plain text, each with its author and time, without buttons and labels. */

export function copyMessages(event: ClipboardEvent): void {
  const selection = getSelection();
  const log = event.currentTarget as HTMLElement;
  if (!selection?.rangeCount || !event.clipboardData) return;
  const text = textOf(selection.getRangeAt(0), [...log.querySelectorAll<HTMLElement>('article')]);
  if (text === null) return;
  event.preventDefault();
  event.clipboardData.setData('text/plain', text);
}

/** Return the text of the selected messages; null for a selection within one message, which the browser copies. */
function textOf(range: Range, rows: HTMLElement[]): string | null {
  const chosen = rows.filter((row) => range.intersectsNode(row));
  const parts = chosen.map((row) => ({ author: row.getAttribute('aria-label') ?? '', text: within(range, row) }));
  const filled = parts.filter(({ text }) => text);
  if (filled.length < 2) return null;
  return filled.map(({ author, text }) => `${author}\n${text}`).join('\n\n');
}

/** Return the selected part of a message's text. */
function within(range: Range, row: HTMLElement): string {
  const body = row.querySelector<HTMLElement>('[data-testid=text]');
  if (!body || !range.intersectsNode(body)) return '';
  const part = range.cloneRange();
  if (body.contains(range.startContainer) || body.contains(range.endContainer)) {
    if (!body.contains(range.startContainer)) part.setStartBefore(body);
    if (!body.contains(range.endContainer)) part.setEndAfter(body);
    return part.toString().trim();
  }
  return body.innerText.trim();
}
