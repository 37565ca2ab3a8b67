/** What is copied of several messages: plain text, each with who said it and when, without what only stands around it. */

export function copyMessages(event: ClipboardEvent): void {
  const selection = getSelection();
  const log = event.currentTarget as HTMLElement;
  if (!selection?.rangeCount || !event.clipboardData) return;
  const text = textOf(selection.getRangeAt(0), [...log.querySelectorAll<HTMLElement>('article')]);
  if (text === null) return;
  event.preventDefault();
  event.clipboardData.setData('text/plain', text);
}

/** Null for what lies within one message: that is copied as it stands. */
function textOf(range: Range, rows: HTMLElement[]): string | null {
  const chosen = rows.filter((row) => range.intersectsNode(row));
  const parts = chosen.map((row) => ({ who: row.getAttribute('aria-label') ?? '', text: within(range, row) }));
  const said = parts.filter(({ text }) => text);
  if (said.length < 2) return null;
  return said.map(({ who, text }) => `${who}\n${text}`).join('\n\n');
}

/** What of a message's text is selected. */
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
