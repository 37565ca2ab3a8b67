/**
 * The style of `<tandem-chat>`. Pages change it with custom properties and `::part()`. It is that of the section, because
 * rules of a page reach the element itself.
 */
export const styles = `
:host { display: block; height: 32rem; max-height: 100%; contain: content; }
:host([hidden]) { display: none; }
section {
  --accent: var(--tandem-accent, light-dark(#4256d8, #98a6ff));
  --ground: var(--tandem-background, light-dark(#fff, #18191d));
  --text: var(--tandem-text, light-dark(#1c1d21, #e8e9ed));
  --soft: var(--tandem-text-soft, light-dark(#55565f, #abaeb9));
  --line: var(--tandem-line, light-dark(#e7e6e2, #2b2d34));
  --own: var(--tandem-own, light-dark(#eceefc, #2a2e4b));
  --other: var(--tandem-other, light-dark(#f3f3f0, #24262c));
  --wrong: light-dark(#b92b25, #ff938a);
  --radius: var(--tandem-radius, 10px);
  all: initial;
  display: flex;
  flex-direction: column;
  height: 100%;
  overflow: hidden;
  box-sizing: border-box;
  border: 1px solid var(--line);
  border-radius: var(--radius);
  background: var(--ground);
  color: var(--text);
  color-scheme: light dark;
  font: 0.9375rem / 1.45 var(--tandem-font, system-ui, sans-serif);
}
:host([theme='light']) section { color-scheme: light; }
:host([theme='dark']) section { color-scheme: dark; }
* { box-sizing: border-box; margin: 0; font: inherit; color: inherit; }
[hidden] { display: none !important; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: -2px; }
header { display: flex; align-items: baseline; gap: 0.5rem; padding: 0.6rem 0.8rem; border-bottom: 1px solid var(--line); }
h2 { overflow: hidden; font-weight: 600; text-overflow: ellipsis; white-space: nowrap; }
.note { color: var(--soft); font-size: 0.8125rem; }
.wrong { color: var(--wrong); }
.state { padding: 0.35rem 0.8rem; background: var(--other); font-size: 0.8125rem; }
.state:empty, .typing:empty, .attachments:empty { display: none; }
.log { flex: 1; min-height: 0; padding: 0.6rem 0.8rem; overflow: hidden auto; overflow-anchor: none; overscroll-behavior: contain; }
ol, ul { padding: 0; list-style: none; }
ol { display: flex; flex-direction: column; gap: 0.25rem; }
.message { display: flex; flex-direction: column; align-items: flex-start; max-width: 100%; overflow-wrap: anywhere; }
.mine { align-items: flex-end; }
.head { margin-top: 0.4rem; color: var(--soft); font-size: 0.8125rem; }
.author { color: var(--text); font-weight: 600; }
.body { max-width: 85%; padding: 0.35rem 0.65rem; overflow: clip; border-radius: var(--radius); background: var(--other); white-space: pre-wrap; }
.mine .body { background: var(--own); }
a { color: var(--accent); }
button { padding: 0.1rem 0.5rem; border: 1px solid var(--line); border-radius: 99px; background: var(--ground); cursor: pointer; }
button:disabled { cursor: default; }
button[aria-pressed='true'] { border-color: var(--accent); background: var(--own); }
.reactions { display: flex; flex-wrap: wrap; gap: 0.25rem; margin-top: 0.2rem; font-size: 0.8125rem; }
.file { max-width: 85%; margin-top: 0.2rem; padding: 0.3rem; border-radius: var(--radius); text-decoration: underline; }
img { display: block; max-width: 100%; width: auto; height: auto; max-height: 14rem; border-radius: calc(var(--radius) - 4px); }
.more { display: block; margin: 0 auto 0.5rem; }
.typing { padding: 0 0.8rem 0.3rem; }
form { display: flex; flex-wrap: wrap; align-items: flex-end; gap: 0.25rem; padding: 0.5rem; border-top: 1px solid var(--line); }
textarea { flex: 1; min-width: 0; max-height: 9rem; padding: 0.4rem 0.6rem; border: 1px solid light-dark(#8b8a86, #72757f); border-radius: var(--radius); background: var(--ground); resize: none; }
textarea::placeholder { color: var(--soft); opacity: 1; }
.icon { display: grid; place-items: center; width: 2.25rem; height: 2.25rem; padding: 0; border-color: transparent; }
.icon:hover { background: var(--other); }
:host(:dir(rtl)) [type='submit'] svg { scale: -1 1; }
svg { fill: none; stroke: currentColor; stroke-width: 1.75; stroke-linecap: round; stroke-linejoin: round; }
.attachments { flex-basis: 100%; font-size: 0.8125rem; }
.attachments li { display: flex; flex-wrap: wrap; align-items: center; gap: 0.4rem; padding: 0.15rem 0; }
progress { width: 6rem; accent-color: var(--accent); }
@media (prefers-reduced-motion: no-preference) { button { transition: background 120ms; } }
`;
