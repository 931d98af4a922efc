/** Dialogs that keep the rest of the page out until they are answered. The browser traps the focus and hears Escape. */

/**
 * Return what is called after each drawing: it opens a dialog that was drawn, and when that is gone puts the focus back
 * to where it was before.
 */
export function createModal(): (root: Element | null) => void {
  let shown: HTMLDialogElement | null = null;
  let before: Element | null = null;
  return (root) => {
    const drawn = root?.querySelector("dialog") ?? null;
    if (drawn === shown) return;
    shown = drawn;
    if (drawn) {
      before = document.activeElement;
      drawn.showModal();
    } else if (before instanceof HTMLElement) before.focus();
  };
}
