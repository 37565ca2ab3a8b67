// How the app looks on this device, before anything is painted: the page's only script that is not a module.
// What was chosen is kept as `tandem.look`, by app/theme.svelte.ts, which says so with a `look` event.
const more = matchMedia('(prefers-contrast: more)');
const less = matchMedia('(prefers-reduced-motion: reduce)');

function kept() {
  try {
    return JSON.parse(localStorage.getItem('tandem.look') || '{}');
  } catch {
    return {}; // nothing is kept, or nothing may be
  }
}

/** As chosen, else as the system is. */
function apply(look) {
  const { dataset } = document.documentElement;
  dataset.theme = look.theme || '';
  dataset.density = look.density || '';
  dataset.contrast = look.contrast || (more.matches ? 'more' : '');
  dataset.motion = look.motion || (less.matches ? 'less' : '');
}

apply(kept());
addEventListener('look', (event) => apply(event.detail));
addEventListener('storage', () => apply(kept()));
for (const system of [more, less]) system.addEventListener('change', () => apply(kept()));
