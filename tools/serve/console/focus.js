// The focus stays with what it is about, though the page was painted anew: `data-key` says what an
// element is about.

export const keyOf = (element) => element?.dataset?.key;

export function focusOn(key) {
  if (key === undefined) return;
  [...document.querySelectorAll('[data-key]')].find((one) => keyOf(one) === key)
      ?.focus({preventScroll: true});
}
