/** Starts the page of one conversation that is shown in a frame of another page. */
import '@fontsource-variable/inter/wght.css';
import '../styles/tokens.css';
import '../styles/base.css';
import '../styles/controls.css';
import '../styles/forms.css';
import '../styles/text.css';
import '../styles/print.css';
import { mount } from 'svelte';
import { loadMessages } from '../messages';
import Embed from './Embed.svelte';

const target = document.getElementById('app');
if (target) void loadMessages().then(() => mount(Embed, { target }));
