import { api } from './api.js';
import { listCountries, needsState } from './countries.js';
import { $, element, notice, onSubmit, said } from './form.js';
import { openable } from './section.js';
import { countryName, dateOf, languageName, t } from './text.js';

const names = ['first_name', 'middle_name', 'last_name'];
const parts = ['line1', 'line2', 'city', 'state', 'country', 'post_code'];
const languages = ['en', 'es'];

/** The customer's information, to be read and to be changed. */
export function information(page) {
  const section = $('#information');
  const form = $('form', section);
  const field = (name) => form.elements.namedItem(name);
  const { close } = openable(section, { onOpen: () => fillIn(page.me) });

  listCountries(field('country'), t('field.country.none'));
  field('country').addEventListener('change', adapt);

  /** adapt asks for no more of an address than its country needs. */
  function adapt() {
    const country = field('country').value;
    const needed = needsState(country);
    $('#address-parts').hidden = country === '';
    field('state').required = needed;
    $('label[for="state"] .label').textContent = t(needed ? `field.state.${country}` : 'field.state');
    $('label[for="state"] .optional').hidden = needed;
  }

  function fillIn(me) {
    for (const name of names) field(name).value = me[name] ?? '';
    for (const part of parts) field(part).value = me.address?.[part] ?? '';
    field('phone_number').value = me.phone ?? '';
    listLanguages(field('language'), me.language);
    adapt();
  }

  /** changes gives what is not as it was. */
  function changes(me) {
    const now = Object.fromEntries(names.map((name) => [name, said(field(name)) || null]));
    now.phone_number = said(field('phone_number')) || null;
    now.language = field('language').value || null;
    const before = { ...me, phone_number: me.phone };
    const change = Object.fromEntries(Object.entries(now).filter(([name, value]) => value !== before[name]));
    const address = readAddress();
    if (parts.some((part) => (address?.[part] ?? null) !== (me.address?.[part] ?? null))) change.address = address;
    return change;
  }

  function readAddress() {
    if (field('country').value === '') return null;
    return Object.fromEntries(parts.map((part) => [part, said(field(part))]).filter(([, value]) => value !== ''));
  }

  onSubmit(form, async () => {
    const change = changes(page.me);
    const changed = Object.keys(change).length > 0;
    if (changed) await page.update(await page.own(api.updateMe(change)));
    close();
    notice(section, t(changed ? 'account.saved' : 'account.unchanged'));
  });

  return {
    update(me) {
      $('#hand-over').textContent = t(me.introduced_by ? 'information.lead.partner' : 'information.lead', { partner: me.introduced_by });
      $('dl', section).replaceChildren(...rows(me));
    },
  };
}

/** listLanguages keeps a language that e-mails are not written in, for the customer has chosen it. */
function listLanguages(select, chosen) {
  const tags = !chosen || languages.includes(chosen) ? languages : [...languages, chosen];
  const none = chosen ? [] : [new Option(t('field.language.none'), '')];
  select.replaceChildren(...none, ...tags.map((tag) => new Option(languageName(tag), tag)));
  select.value = chosen ?? '';
}

/** rows says each field, and where it is from. */
function rows(me) {
  const origin = (name) => {
    const found = me.origins.find((o) => o.field === name);
    if (!found) return '';
    const values = { partner: me.introduced_by, date: dateOf(found.at) };
    const plain = found.origin === 'partner' && !me.introduced_by ? '.plain' : '';
    return t(`information.from.${found.origin}${plain}`, values);
  };
  const row = (label, value, from) => {
    const said = value || t('information.none');
    const made = element('div', {}, element('dt', { textContent: label }), element('dd', { className: value ? 'lines' : 'none', textContent: said }));
    if (value && from) made.append(element('dd', { className: 'origin', textContent: from }));
    return made;
  };
  const email = origin('email');
  return [
    row(t('field.email'), me.email, `${t('information.email.hint')} ${email}`.trim()),
    ...names.filter((name) => name !== 'middle_name' || me.middle_name).map((name) => row(t(`field.${name}`), me[name], origin(name))),
    row(t('field.address'), me.address && addressLines(me.address), origin('address')),
    row(t('field.phone'), me.phone, origin('phone')),
    row(t('field.language'), me.language && languageName(me.language), origin('language')),
  ];
}

function addressLines(a) {
  const town = [a.post_code, a.city, a.state].filter(Boolean).join(' ');
  const american = `${a.city}, ${[a.state, a.post_code].filter(Boolean).join(' ')}`;
  return [a.line1, a.line2, needsState(a.country) ? american : town, countryName(a.country)].filter(Boolean).join('\n');
}
