// Shows the contract with Scalar, and mends what of it assistive technology cannot
// use.
(() => {
  'use strict';
  const contract = globalThis.escrowContract;
  const dark = matchMedia('(prefers-color-scheme: dark)');

  // On a server requests go to where the page is from, whatever that host is
  // called here; an exported page sends them to the server that it is of.
  if (document.body.dataset.root === '/') contract.servers[0].url = location.origin + new URL(contract.servers[0].url).pathname;

  document.getElementById('loading').remove();
  globalThis.Scalar.createApiReference('#reference', {
    content: contract,
    // Nobody else is asked for anything, or told of anything; nothing that is
    // typed in is kept.
    withDefaultFonts: false,
    telemetry: false,
    persistAuth: false,
    mcp: { disabled: true },
    agent: { disabled: true },
    hideClientButton: true,
    showDeveloperTools: 'never',
    // The site has these itself.
    hideSearch: true,
    hideDarkModeToggle: true,
    documentDownloadType: 'none',
    hiddenClients: true,
    theme: 'none',
    darkMode: dark.matches,
    orderSchemaPropertiesBy: 'preserve',
    defaultOpenFirstTag: true,
    // Addresses within the page, as the site's links have them.
    generateTagSlug: (tag) => tag.name.toLowerCase(),
    generateOperationSlug: (operation) => operation.operationId,
    generateModelSlug: (model) => model.name,
  });
  dark.addEventListener('change', () => {
    document.body.classList.toggle('dark-mode', dark.matches);
    document.body.classList.toggle('light-mode', !dark.matches);
  });

  const set = (element, name, value) => { if (element.getAttribute(name) !== value) element.setAttribute(name, value); };

  function mend() {
    for (const e of document.querySelectorAll('button[class*="copy-button"]:not([aria-label])')) set(e, 'aria-label', 'Copy');
    for (const e of document.querySelectorAll('#reference header')) { // the page has one already
      set(e, 'role', 'region');
      set(e, 'aria-label', 'Where you are');
    }
    for (const e of document.querySelectorAll('button[role="none"], button[role="presentation"]')) e.removeAttribute('role');
    for (const e of document.querySelectorAll('[role="combobox"]:not([aria-expanded])')) set(e, 'aria-expanded', 'false');
    for (const e of document.querySelectorAll('.cm-content[role="textbox"]:not([aria-label])')) set(e, 'aria-label', e.isContentEditable ? 'Body of the request' : 'Body of the answer');
    // What scrolls must do so by the keyboard as well.
    for (const e of document.querySelectorAll('.endpoints, .scalar-card-content')) if (e.scrollHeight > e.clientHeight + 1 || e.scrollWidth > e.clientWidth + 1) set(e, 'tabindex', '0');
    for (const e of document.querySelectorAll('.cm-scroller')) set(e.querySelector('.cm-content[contenteditable="true"]') ?? e, 'tabindex', '0');
    // What is said must have what is written in it, for who speaks to a device.
    for (const e of document.querySelectorAll('.show-more[aria-label]')) {
      const written = e.textContent.trim();
      if (written && !e.getAttribute('aria-label').startsWith(written)) set(e, 'aria-label', `${written}: ${e.getAttribute('aria-label')}`);
    }
    for (const name of ['aria-controls', 'aria-describedby', 'aria-labelledby']) {
      for (const e of document.querySelectorAll(`#reference [${name}], [role="dialog"] [${name}]`)) {
        const ids = e.getAttribute(name).split(/\s+/).filter(Boolean);
        if (!ids.some((id) => document.getElementById(id))) e.removeAttribute(name);
      }
    }
  }
  let waiting = false;
  new MutationObserver(() => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      mend();
    });
  }).observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ['role', 'aria-controls', 'aria-describedby', 'aria-expanded', 'class'] });
})();
