/** The field for new messages, with the files that are being uploaded for the next one. */
import { asProblem } from '../problem';
import type { SentFile } from '../types';
import { Upload } from '../upload';
import type { Connection } from './connection';
import { make } from './dom';
import type { Words } from './words';

interface Attachment {
  upload: Upload;
  element: HTMLElement;
}

export interface ComposerOptions {
  words: Words;
  connection(): Connection | null;
  send(body: string, files: SentFile[]): void;
  onKey(): void;
  onProblem(error: unknown): void;
}

const CLIP =
  'M20 11.5l-8.2 8.2a5 5 0 0 1-7.1-7.1l8.5-8.5a3.3 3.3 0 0 1 4.7 4.7l-8.5 8.5a1.7 1.7 0 0 1-2.4-2.4l7.8-7.8';
const SEND = 'M5 12 4 4l17 8-17 8 1-8Zm0 0h8';

export class Composer {
  readonly element: HTMLFormElement;
  private readonly field: HTMLTextAreaElement;
  private readonly list = make('ul', { className: 'attachments' });
  private readonly attachments = new Set<Attachment>();
  /** Send as soon as all files are uploaded. */
  private due = false;

  constructor(private readonly options: ComposerOptions) {
    const { words } = options;
    this.field = make('textarea', {
      part: 'field',
      rows: 1,
      placeholder: words.placeholder,
      'aria-label': words.message,
      dir: 'auto',
      onkeydown: (event: KeyboardEvent) => this.onKey(event),
      oninput: () => this.onInput(),
    });
    const picker = make('input', { type: 'file', multiple: true, hidden: true });
    picker.onchange = () => {
      this.attach([...(picker.files ?? [])]);
      picker.value = '';
    };
    const attach = make('button', { type: 'button', part: 'attach', className: 'icon', 'aria-label': words.attach }, icon(CLIP));
    attach.onclick = () => picker.click();
    const send = make('button', { type: 'submit', part: 'send', className: 'icon', 'aria-label': words.send }, icon(SEND));
    this.element = make('form', { part: 'composer' }, this.list, attach, this.field, send, picker);
    this.element.onsubmit = (event) => {
      event.preventDefault();
      this.submit();
    };
    this.field.onpaste = ({ clipboardData }) => this.attach([...(clipboardData?.files ?? [])]);
  }

  /** Cancel the uploads. */
  stop(): void {
    for (const one of this.attachments) one.upload.cancel();
    this.attachments.clear();
    this.list.replaceChildren();
  }

  /** Upload files for the next message. */
  attach(files: File[]): void {
    for (const file of files) this.add(file);
  }

  private onKey(event: KeyboardEvent): void {
    // Enter also ends the input of a Japanese or Chinese word
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.submit();
  }

  private onInput(): void {
    this.field.style.height = 'auto';
    this.field.style.height = `${this.field.scrollHeight}px`;
    if (this.field.value) this.options.onKey();
  }

  /** Send the message now, or once its files are uploaded. */
  private submit(): void {
    const states = [...this.attachments].map(({ upload }) => upload.state);
    const body = this.field.value.trim();
    this.due = states.some(({ name }) => name !== 'done' && name !== 'failed');
    if (states.some(({ name }) => name !== 'done') || (!body && !states.length)) return;
    this.options.send(body, states.flatMap(({ file }) => file ?? []));
    this.field.value = '';
    this.onInput();
    this.attachments.clear();
    this.list.replaceChildren();
    this.field.focus();
  }

  private add(file: File): void {
    const connection = this.options.connection();
    if (!connection) return;
    const { words, onProblem } = this.options;
    const bar = make('progress', { max: file.size || 1, 'aria-label': file.name });
    const state = make('span', { className: 'note', role: 'status' });
    const retry = make('button', { type: 'button', hidden: true }, words.retry);
    const remove = make('button', { type: 'button', 'aria-label': `${words.remove}: ${file.name}` }, '×');
    const element = make('li', {}, make('bdi', {}, file.name), bar, state, retry, remove);
    const upload = new Upload({
      ...{ api: connection.api, source: file, name: file.name },
      onChange: ({ name, sent, problem }) => {
        bar.value = sent;
        bar.hidden = name === 'done' || name === 'failed';
        retry.hidden = name !== 'failed';
        state.textContent = name === 'failed' ? (problem?.detail ?? '') : '';
        if (name === 'failed') onProblem(asProblem(problem));
        if (name === 'done' && this.due) this.submit();
      },
    });
    const attachment = { upload, element };
    retry.onclick = () => upload.retry();
    remove.onclick = () => {
      upload.cancel();
      this.attachments.delete(attachment);
      element.remove();
      this.field.focus();
    };
    this.attachments.add(attachment);
    this.list.append(element);
  }
}

function icon(path: string): SVGSVGElement {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  for (const [name, value] of Object.entries({ viewBox: '0 0 24 24', width: '20', height: '20', 'aria-hidden': 'true' }))
    svg.setAttribute(name, value);
  const line = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  line.setAttribute('d', path);
  svg.append(line);
  return svg;
}
