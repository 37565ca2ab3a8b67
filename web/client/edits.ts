/** Edits that are being saved. They show at once; an edit that the server rejects is kept, to retry or discard. */
import type { Api } from './api';
import { asProblem, type Problem } from './problem';
import type { Id, Message } from './types';

export interface PendingEdit {
  conversation: Id;
  seq: number;
  body: string;
  /** The files to keep; without it all files are kept. */
  files?: Id[];
  state: 'saving' | 'failed';
  problem?: Problem;
}

export interface PendingEditsOptions {
  api: Api;
  onChange(all: PendingEdit[]): void;
  /** Called with the edited message. */
  onSaved(message: Message): void;
}

export class PendingEdits {
  private all: PendingEdit[] = [];

  constructor(private readonly options: PendingEditsOptions) {}

  /** Save an edit. A later edit of the same message replaces an earlier one. */
  async save(conversation: Id, seq: number, body: string, files?: Id[]): Promise<void> {
    const edit: PendingEdit = { conversation, seq, body, ...(files && { files }), state: 'saving' };
    this.update([...this.without(conversation, seq), edit]);
    try {
      const message = await this.options.api.edit(conversation, seq, body, files);
      if (this.all.includes(edit)) this.discard(conversation, seq);
      this.options.onSaved(message);
    } catch (error) {
      const failed: PendingEdit = { ...edit, state: 'failed', problem: asProblem(error) };
      this.update(this.all.map((one) => (one === edit ? failed : one)));
    }
  }

  discard(conversation: Id, seq: number): void {
    this.update(this.without(conversation, seq));
  }

  private without(conversation: Id, seq: number): PendingEdit[] {
    return this.all.filter((one) => one.conversation !== conversation || one.seq !== seq);
  }

  private update(all: PendingEdit[]): void {
    this.all = all;
    this.options.onChange(all);
  }
}
