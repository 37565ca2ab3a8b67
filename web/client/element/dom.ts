/** Small helpers to build elements. */

type Child = Node | string | null | undefined | false;
type Properties = Record<string, unknown>;

/** Make an element. Keys such as `aria-label` and `part` are attributes; `onclick` and others are properties. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Properties = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (typeof value !== 'function' && (!(name in element) || name === 'part' || name === 'role')) element.setAttribute(name, String(value));
    else Object.assign(element, { [name]: value });
  }
  element.append(...children.filter((one): one is Node | string => typeof one === 'string' || one instanceof Node));
  return element;
}

/** Set the children of an element, moving only those that are not in their place. */
export function arrange(parent: Element, wanted: Element[]): void {
  let next = parent.firstElementChild;
  for (const one of wanted) {
    if (one === next) next = next.nextElementSibling;
    else parent.insertBefore(one, next);
  }
  while (next) {
    const rest: Element | null = next.nextElementSibling;
    next.remove();
    next = rest;
  }
}
