// What pages can do beside being read: search, copy code, and remember the
// language of samples. Everything works without it, but for the search, whose
// button is shown here.
(() => {
  'use strict';
  const { root, index, search } = document.body.dataset;

  /** make creates an element with attributes and content. */
  function make(name, attributes = {}, ...content) {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...content);
    return element;
  }

  /** load runs a script of the site's, once. */
  const loaded = new Map();
  function load(src) {
    if (!loaded.has(src)) {
      loaded.set(src, new Promise((resolve, reject) => {
        const script = make('script', { src });
        script.addEventListener('load', resolve);
        script.addEventListener('error', () => reject(new Error(`cannot load ${src}`)));
        document.head.append(script);
      }));
    }
    return loaded.get(src);
  }

  // Search: a dialog with a combobox (ARIA Authoring Practices, list autocomplete
  // with manual selection).
  const most = 20;
  let engine;
  let dialog;

  async function prepare() {
    await Promise.all([load(search), load(index)]);
    engine ??= (() => {
      const made = new globalThis.MiniSearch({
        idField: 'id',
        fields: ['t', 'w', 'b'],
        storeFields: ['u', 'k', 't', 'w', 'b'],
        // Codes and names are found by their parts as well: email_already_in_use.
        tokenize: (text) => text.split(/[\s\p{P}\p{Z}]+/u).concat(text.match(/[\p{L}\d]+(?:[_-][\p{L}\d]+)+/gu) ?? []).filter(Boolean),
        processTerm: (term) => term.toLowerCase(),
        searchOptions: { boost: { t: 4, w: 2 }, prefix: (term) => term.length > 1, fuzzy: (term) => (term.length > 4 ? 0.2 : false), combineWith: 'AND' },
      });
      made.addAll(globalThis.escrowIndex.map((entry, id) => ({ id, ...entry })));
      return made;
    })();
  }

  /** marked gives a text with the words that were found in it marked. */
  function marked(text, terms) {
    const parts = document.createDocumentFragment();
    if (!terms.length) {
      parts.append(text);
      return parts;
    }
    const escaped = terms.map((t) => t.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')).sort((a, b) => b.length - a.length);
    const words = new RegExp(`(${escaped.join('|')})`, 'giu');
    text.split(words).forEach((part, i) => parts.append(i % 2 ? make('mark', {}, part) : part));
    return parts;
  }

  /** around gives the part of a text in which a word was found. */
  function around(text, terms) {
    const at = Math.min(...terms.map((t) => text.toLowerCase().indexOf(t)).filter((i) => i >= 0), text.length);
    if (at < 90 || at === text.length) return text.slice(0, 240);
    return `… ${text.slice(text.indexOf(' ', at - 60) + 1, at + 180)}`;
  }

  function openSearch() {
    dialog ??= makeSearch();
    if (!dialog.open) dialog.showModal();
    dialog.querySelector('input').select();
    prepare().then(dialog.update, () => dialog.say('The search cannot be loaded.'));
  }

  function makeSearch() {
    const input = make('input', {
      type: 'text', role: 'combobox', id: 'search-input', 'aria-label': 'Search guides, operations, schemas and problems', placeholder: 'Search guides and reference',
      'aria-autocomplete': 'list', 'aria-expanded': 'false', 'aria-controls': 'search-found', autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false', enterkeyhint: 'go',
    });
    const close = make('button', { type: 'button' }, 'Close');
    const said = make('p', { class: 'search-said', role: 'status' });
    const found = make('ul', { class: 'search-found', id: 'search-found', role: 'listbox', 'aria-label': 'Results', hidden: '' });
    const box = make('dialog', { class: 'search', 'aria-label': 'Search' }, make('div', { class: 'search-bar' }, input, close), said, found);
    let results = [];
    let chosen = -1;

    box.say = (text) => { said.textContent = text; };
    function choose(i) {
      chosen = i;
      [...found.children].forEach((option, n) => option.setAttribute('aria-selected', String(n === i)));
      if (i < 0) return input.removeAttribute('aria-activedescendant');
      input.setAttribute('aria-activedescendant', `found-${i}`);
      found.children[i].scrollIntoView({ block: 'nearest' });
    }
    function go(result) {
      const to = new URL(root + result.u, document.baseURI);
      box.close();
      location.assign(to);
    }
    box.update = () => {
      if (!engine) return;
      const query = input.value.trim();
      results = query ? engine.search(query).slice(0, most) : [];
      found.replaceChildren(...results.map((r, i) => {
        const terms = r.terms;
        const title = make('b', {}, marked(r.t, terms));
        const option = make('li', { role: 'option', id: `found-${i}`, 'aria-selected': 'false' }, title, ' ', make('span', {}, [r.k, r.w].filter(Boolean).join(' · ')));
        if (r.b) option.append(make('p', {}, marked(around(r.b, terms), terms)));
        option.addEventListener('click', () => go(r));
        return option;
      }));
      found.hidden = !results.length;
      input.setAttribute('aria-expanded', String(results.length > 0));
      box.say(query ? `${results.length || 'No'} result${results.length === 1 ? '' : 's'}${results.length === most ? ' shown, the best first' : ''}` : 'Guides, operations, schemas and problem codes.');
      choose(results.length ? 0 : -1);
    };
    input.addEventListener('input', box.update);
    input.addEventListener('keydown', (e) => {
      if (e.key === 'ArrowDown' && results.length) choose((chosen + 1) % results.length);
      else if (e.key === 'ArrowUp' && results.length) choose((chosen - 1 + results.length) % results.length);
      else if (e.key === 'Enter' && results[chosen]) go(results[chosen]);
      else return;
      e.preventDefault();
    });
    close.addEventListener('click', () => box.close());
    box.addEventListener('click', (e) => { if (e.target === box) box.close(); });
    document.body.append(box);
    return box;
  }

  const find = document.getElementById('find');
  if (find && 'showModal' in HTMLDialogElement.prototype) {
    find.hidden = false;
    find.setAttribute('aria-keyshortcuts', '/');
    find.addEventListener('click', openSearch);
    find.addEventListener('pointerenter', () => { prepare().catch(() => {}); }, { once: true });
    document.addEventListener('keydown', (e) => {
      const typing = e.target.closest?.('input, textarea, select, [contenteditable="true"]');
      if (e.key !== '/' || e.ctrlKey || e.metaKey || e.altKey || typing) return;
      e.preventDefault();
      openSearch();
    });
  }

  /** copyable gives the text of code that is of use elsewhere: of what a terminal
   * shows, the commands without their prompt. */
  function copyable(text) {
    if (!text.startsWith('$ ')) return text;
    return [...text.matchAll(/^\$ ((?:.*\\\n)*.*)/gm)].map((command) => `${command[1]}\n`).join('');
  }

  // Code is copied from a button in its corner.
  for (const code of document.querySelectorAll('.code')) {
    if (!navigator.clipboard) break;
    const button = make('button', { type: 'button', class: 'copy' }, 'Copy');
    button.addEventListener('click', async () => {
      try {
        await navigator.clipboard.writeText(copyable(code.querySelector('pre').textContent));
        button.textContent = 'Copied';
      } catch {
        button.textContent = 'Cannot copy';
      }
      setTimeout(() => { button.textContent = 'Copy'; }, 2000);
    });
    code.append(button);
  }

  // The language of samples is the same for all of them, and on the next page.
  const remembered = 'escrow-docs-language';
  function speak(language) {
    for (const radio of document.querySelectorAll('.samples input')) if (radio.value === language) radio.checked = true;
  }
  document.addEventListener('change', (e) => {
    if (!e.target.matches?.('.samples input')) return;
    const before = e.target.getBoundingClientRect().top;
    speak(e.target.value);
    scrollBy(0, e.target.getBoundingClientRect().top - before);
    try { localStorage.setItem(remembered, e.target.value); } catch { /* it is not remembered */ }
  });
  try { speak(localStorage.getItem(remembered)); } catch { /* it was not remembered */ }
})();
