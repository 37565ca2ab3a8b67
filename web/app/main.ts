/** Starts the app in the page. */
import '@fontsource-variable/inter/wght.css';
import './styles/tokens.css';
import './styles/base.css';
import './styles/controls.css';
import './styles/forms.css';
import './styles/text.css';
import './styles/print.css';
import { mount } from 'svelte';
import App from './App.svelte';
import { loadMessages } from './messages';
import { startWorker } from './notify/worker';

const target = document.getElementById('app');
void loadMessages().then(() => {
  if (target) mount(App, { target });
  startWorker();
});
