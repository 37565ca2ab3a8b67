// Applies the appearance of the app before anything is painted. This is the page's only script that is not a module.
// app/theme.svelte.ts stores the user's choice as `tandem.look`, and sends a `look` event when it changes.
const more = matchMedia('(prefers-contrast: more)');
const less = matchMedia('(prefers-reduced-motion: reduce)');

function kept() {
  try {
    return JSON.parse(localStorage.getItem('tandem.look') || '{}');
  } catch {
    return {}; // nothing is stored, or storage is forbidden
  }
}

/** The theme in the address of a conversation that is in a frame: `?theme=light`, `dark` or `auto`. */
const asked = location.pathname.startsWith('/embed/') ? new URLSearchParams(location.search).get('theme') : null;
const themes = { light: 'light', dark: 'dark', auto: '' };

/** Apply the choice, or else the system's settings. */
function apply(look) {
  const { dataset } = document.documentElement;
  dataset.theme = Object.hasOwn(themes, asked ?? '') ? themes[asked] : look.theme || '';
  dataset.density = look.density || '';
  dataset.contrast = look.contrast || (more.matches ? 'more' : '');
  dataset.motion = look.motion || (less.matches ? 'less' : '');
}

apply(kept());
addEventListener('look', (event) => apply(event.detail));
addEventListener('storage', () => apply(kept()));
for (const system of [more, less]) system.addEventListener('change', () => apply(kept()));
