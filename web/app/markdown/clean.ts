/** Removes everything from rendered HTML but the allowed elements, attributes and link schemes. */
import DOMPurify from 'dompurify';

const TAGS =
  'p br strong em s code pre a ul ol li blockquote h1 h2 h3 h4 h5 h6 hr table thead tbody tr th td span button';
const ATTRIBUTES = 'href target rel title class dir start value type tabindex data-user data-group data-emoji';

const ALLOWED = {
  ALLOWED_TAGS: TAGS.split(' '),
  ALLOWED_ATTR: ATTRIBUTES.split(' '),
  ALLOWED_URI_REGEXP: /^(?:https?:|mailto:|\/c\/\d)/i,
  // attributes whose values are not addresses
  ADD_URI_SAFE_ATTR: ['target', 'rel', 'dir', 'start', 'value', 'type', 'tabindex', 'data-user', 'data-group', 'data-emoji'],
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
};

export function clean(html: string): string {
  return DOMPurify.sanitize(html, ALLOWED);
}
