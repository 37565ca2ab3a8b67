/** The user's second factors, as the settings show and change them. */
import { Account, type Factors } from '../../client';
import { Act } from '../dialogs/act.svelte';
import { session } from '../session.svelte';

export class Security {
  readonly account = new Account(session.api);
  readonly act = new Act();
  factors = $state.raw<Factors | null>(null);
  /** New recovery codes, until the user has saved them. */
  codes = $state.raw<string[]>([]);

  load(): Promise<boolean> {
    return this.act.run(async () => void (this.factors = await this.account.factors()));
  }

  /** Make a change that may return new recovery codes. Return true if it succeeded. */
  change(how: () => Promise<string[] | void>): Promise<boolean> {
    return this.act.run(async () => {
      const codes = await how();
      if (codes?.length) this.codes = codes;
      this.factors = await this.account.factors();
      await session.refresh();
    });
  }
}
