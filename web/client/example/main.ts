/** A complete chat client in thirty lines: log in, follow one conversation, post. */
import { Api, Store, type View } from '../index';

const element = <E extends HTMLElement>(id: string) => document.getElementById(id) as E;

async function begin(name: string, password: string): Promise<void> {
  const api = new Api();
  const { user } = await api.logIn(name, password, 'Example');
  const store = new Store({ api, me: user });
  let opened: number | null = null;
  store.subscribe(show);
  store.start();

  function show(view: View): void {
    element('state').textContent = view.connection.name;
    const conversation = [...view.conversations.values()][0];
    if (conversation && opened === null) void store.pages.open((opened = conversation.id));
    const messages = view.timelines.get(opened ?? 0)?.messages ?? [];
    const said = messages.map(
      ({ author, body }) => `${view.users.get(author)?.display_name ?? author}: ${body}`,
    );
    const sending = view.outgoing.map(({ body, state }) => `(${state}) ${body}`);
    element('log').textContent = [...said, ...sending].join('\n');
  }

  element<HTMLFormElement>('post').onsubmit = (event) => {
    event.preventDefault();
    const body = element<HTMLInputElement>('body');
    if (opened !== null && body.value) store.send(opened, body.value);
    body.value = '';
  };
}

element<HTMLFormElement>('login').onsubmit = (event) => {
  event.preventDefault();
  const fields = new FormData(event.target as HTMLFormElement);
  begin(String(fields.get('name')), String(fields.get('password'))).catch(
    (error: Error) => (element('state').textContent = error.message),
  );
};
