/** The number of open reports for the user. Only moderators ask for it: admins, and owners and admins of a conversation. */
import { createContext, untrack } from 'svelte';
import type { Entry } from '../../client';
import type { Chat } from '../chat.svelte';

export class OpenReports {
  /** The number of open reports, at most one page. */
  open = $state(0);
  readonly may = $derived.by(() => this.chat.isAdmin || this.chat.sorted.some((one) => this.chat.runs(one)));

  constructor(private readonly chat: Chat) {
    const live = $derived(chat.view.connection.name === 'live' || chat.view.connection.name === 'polling');
    $effect(() => {
      if (this.may && live) untrack(() => void this.count());
    });
    $effect(() => chat.listen((entry: Entry) => entry.event === 'report' && void this.count()));
  }

  private async count(): Promise<void> {
    await this.chat.moderation.reports('open').then(
      ({ reports }) => (this.open = reports.length),
      () => undefined, // asked again with the next report or connection
    );
  }
}

export const [getOpenReports, setOpenReports] = createContext<OpenReports>();
