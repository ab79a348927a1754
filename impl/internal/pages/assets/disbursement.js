import { api } from './api.js';
import { $, clear, element, notice, onSubmit, reset, showProblem } from './form.js';
import { methodForm } from './method-form.js';
import { currencyName, has, t } from './text.js';

const most = 10;

/**
 * Where the customer's money is sent to: a list, in whose place comes a form to
 * add or replace a method, or one to make a method the default or remove it.
 */
export function disbursement(page) {
  const section = $('#disbursement');
  const heading = $('h2', section);
  const view = $('#disbursement-view');
  const add = $('#disbursement-add');
  const edit = $('#disbursement-edit');
  const choice = $('#disbursement-choice');
  const { fillIn, read } = methodForm(edit);
  let list = [];
  let method = null; // that the form shown is about
  let removing = false;
  let opener = heading; // which the focus goes back to

  async function load() {
    list = (await page.own(api.listDisbursementMethods())).disbursement_methods;
    $('#disbursement-none').hidden = list.length > 0;
    $('#disbursement-full').hidden = list.length < most;
    $('#disbursement-list').replaceChildren(...list.map(item));
    step(shown());
  }

  const shown = () => [edit, choice].find((form) => !form.hidden) ?? view;

  /** step shows the list or one of the forms. The others forget what was typed. */
  function step(part) {
    for (const each of [view, edit, choice]) {
      each.hidden = each !== part;
      if (each !== part && each !== view) reset(each);
    }
    add.hidden = part !== view || list.length >= most;
  }

  function cancel() {
    step(view);
    (opener.isConnected ? opener : heading).focus();
  }

  /** done shows what has come of it. */
  async function done(text, { warn = false } = {}) {
    step(view);
    notice(section, text);
    $('.notice', section).classList.toggle('warn', warn);
    heading.focus();
    await reload();
  }

  async function reload() {
    clear(view);
    await load().catch((problem) => showProblem(view, problem, reload));
  }

  function openEdit(from, replaced) {
    notice(section, '');
    [opener, method] = [from, replaced];
    const words = method ? 'replace' : 'add';
    $('h3', edit).textContent = t(`disbursement.${words}.title`, { name: method && nameOf(method) });
    $('#disbursement-secret').hidden = !method;
    $('#disbursement-save').textContent = t(`disbursement.${words}.submit`);
    step(edit);
    fillIn(method, page.me);
    $('[name="kind"]:checked', edit).focus();
  }

  function openChoice(from, chosen, remove) {
    notice(section, '');
    [opener, method, removing] = [from, chosen, remove];
    const words = removing ? 'remove' : 'make_default';
    const lead = !removing ? '' : list.length === 1 ? '.last' : method.is_default ? '.default' : '';
    const submit = $('#disbursement-choose');
    $('h3', choice).textContent = t(`disbursement.${words}.title`, { name: nameOf(method) });
    $('#disbursement-choice-lead').textContent = t(`disbursement.${words}.lead${lead}`);
    submit.textContent = t(`disbursement.${words}.submit`);
    submit.className = removing ? 'danger solid' : 'primary';
    step(choice);
    $('#choice-password').focus();
  }

  add.addEventListener('click', () => openEdit(add, null));
  for (const form of [edit, choice]) {
    $('[data-cancel]', form).addEventListener('click', cancel);
    form.addEventListener('keydown', (event) => {
      // In a select it closes the list, and nobody would type all of this twice.
      if (event.key === 'Escape' && !event.target.matches('select')) cancel();
    });
  }

  onSubmit(edit, async () => {
    const password = $('#disbursement-password').value;
    const saved = await page.own(method ? api.replaceDisbursementMethod(method.id, password, read()) : api.addDisbursementMethod(password, read()));
    const warn = saved.warnings.length > 0;
    await done(t(warn ? 'disbursement.saved.warnings' : 'disbursement.saved', { name: nameOf(saved) }), { warn });
  });

  onSubmit(choice, async () => {
    const password = $('#choice-password').value;
    const name = nameOf(method);
    if (removing) await remove(password);
    else await page.own(api.setDefaultDisbursementMethod(method.id, password));
    await done(t(removing ? 'disbursement.remove.done' : 'disbursement.make_default.done', { name }));
  });

  /** remove removes the method; that somebody has done so is as good. */
  async function remove(password) {
    try {
      await page.own(api.removeDisbursementMethod(method.id, password));
    } catch (problem) {
      if (problem.code !== 'disbursement_method_not_found') throw problem;
    }
  }

  function item(m) {
    const name = element('h3', { textContent: nameOf(m) });
    if (m.is_default) name.append(' ', element('span', { className: 'badge good', textContent: t('disbursement.default') }));
    if (!m.usable) name.append(' ', element('span', { className: 'badge bad', textContent: t('disbursement.unusable') }));
    const spoken = { name: nameOf(m, 'disbursement.spoken') };
    const button = (words, open) => {
      const made = element('button', { type: 'button', textContent: t(`disbursement.${words}`), ariaLabel: t(`disbursement.${words}.label`, spoken) });
      made.addEventListener('click', () => open(made));
      return made;
    };
    const buttons = element('div', { className: 'buttons' });
    if (m.usable && !m.is_default) buttons.append(button('make_default', (from) => openChoice(from, m, false)));
    buttons.append(button('replace', (from) => openEdit(from, m)), button('remove', (from) => openChoice(from, m, true)));
    return element('li', {}, name, element('p', { className: 'detail', textContent: detailOf(m) }), ...findings(m), buttons);
  }

  return { update: reload };
}

/** nameOf gives the bank or network, and the last characters of the number. */
function nameOf(m, key = 'disbursement.name') {
  const name = m.type === 'crypto_wallet' ? networkName(m.network) : m.bank_name;
  const last = m.bank_iban_last4 ?? m.bank_account_number_last4 ?? m.address_last4;
  return last ? t(key, { name, last }) : name;
}

const networkName = (name) => (has(`network.${name}`) ? t(`network.${name}`) : name);

function detailOf(m) {
  return [
    t(`disbursement.kind.${m.type}`),
    m.currency && currencyName(m.currency),
    m.asset && (has(`asset.${m.asset}`) ? t(`asset.${m.asset}`) : m.asset),
    m.account_type && has(`disbursement.${m.account_type}`) && t(`disbursement.${m.account_type}`),
    m.account_name,
    m.memo_present && t('disbursement.has_memo'),
  ].filter(Boolean).join(' · ');
}

/** findings says what its owner should look at. */
function findings(m) {
  if (m.usable && m.warnings.length === 0) return [];
  const words = m.warnings.map(({ pointer, code, detail }) => {
    const said = has(`disbursement.warning.${code}`) ? t(`disbursement.warning.${code}`) : detail;
    return pointer.startsWith('/intermediary_bank') ? t('disbursement.warning.via', { detail: said }) : said;
  });
  return [element('div', { className: m.usable ? 'findings' : 'findings bad' },
    element('p', { textContent: t(m.usable ? 'disbursement.warnings' : 'disbursement.unusable.lead') }),
    element('ul', {}, ...words.map((textContent) => element('li', { textContent }))))];
}
