"""The script of the HTML page: filters, and everything unfolded on paper. It reads nothing else."""

SCRIPT = """
'use strict';
(() => {
  const cards = [...document.querySelectorAll('[data-kinds]')];
  const projects = [...document.querySelectorAll('.project, .overview tr[data-project]')];
  const filters = document.querySelector('.filters');
  const [words, project, reset, told] = filters.children;
  const wanted = new Set();

  const update = () => {
    const text = words.value.trim().toLowerCase();
    let shown = 0;
    for (const card of cards) {
      const kinds = card.dataset.kinds.split(' ');
      const fits = (!wanted.size || kinds.some((kind) => wanted.has(kind)))
        && (!project.value || card.dataset.project === project.value)
        && card.dataset.text.toLowerCase().includes(text);
      card.hidden = !fits;
      shown += fits;
    }
    for (const each of projects) {
      each.hidden = project.value !== '' && each.dataset.project !== project.value;
      for (const fold of each.querySelectorAll('details.keys')) {
        fold.hidden = !fold.querySelector('[data-kinds]:not([hidden])');
        if (text && !fold.hidden) fold.open = true;
      }
    }
    reset.hidden = !wanted.size && !text && !project.value;
    told.textContent = shown === cards.length ? '' : shown + ' of ' + cards.length + ' shown';
  };

  for (const chip of document.querySelectorAll('.counts .chip')) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = chip.className;
    button.append(...chip.childNodes);
    button.setAttribute('aria-pressed', 'false');
    button.addEventListener('click', () => {
      const kind = chip.dataset.kind;
      const on = !wanted.delete(kind);
      if (on) wanted.add(kind);
      button.setAttribute('aria-pressed', String(on));
      for (const fold of document.querySelectorAll('details.keys')) {
        if (on && (kind === 'unchanged' || kind === 'unmanaged')) fold.open = true;
      }
      update();
    });
    chip.replaceWith(button);
  }
  reset.addEventListener('click', () => {
    words.value = '';
    project.value = '';
    wanted.clear();
    for (const button of document.querySelectorAll('button.chip')) {
      button.setAttribute('aria-pressed', 'false');
    }
    update();
    words.focus();
  });
  words.addEventListener('input', update);
  project.addEventListener('change', update);
  filters.hidden = false;
  addEventListener('beforeprint', () => {
    for (const fold of document.querySelectorAll('details')) fold.open = true;
  });
})();
"""
