// The form of a disbursement method, whose fields depend on what is chosen.
import { Problem } from './api.js';
import { listCountries } from './countries.js';
import { $, clear, said } from './form.js';
import { assets, networks } from './networks.js';
import { currencyName, t } from './text.js';

const currencies = ['usd', 'eur', 'gbp', 'cad', 'aud'];
const accountTypes = ['checking', 'savings'];

// What people copy has spaces in it, of kinds that cannot be seen, too.
const spaces = /[\s\u200B-\u200D\u2060]+/g;
const withoutSpaces = new Set(['bank_iban', 'bank_swift_code', 'bank_aba_routing_number', 'address']);

/** methodForm brings the form to life, and gives what fills it in and reads it. */
export function methodForm(form) {
  const fields = [...form.querySelectorAll('[data-pointer^="/method/"]')];
  const placeOf = (field) => field.dataset.pointer.split('/').slice(2);
  const kind = () => form.elements.namedItem('kind').value;

  const choose = t('disbursement.choose');
  const country = $('#wire-country');
  const asset = $('#wallet-asset');
  const network = $('#wallet-network');
  for (const select of [country, $('#via-country'), $('#holder-country')]) listCountries(select, choose);
  list($('#ach-type'), accountTypes, (type) => t(`disbursement.${type}`));
  list($('#wire-currency'), currencies, (code) => t('disbursement.currency.name', { name: currencyName(code), code: code.toUpperCase() }));
  list(asset, assets, (code) => t(`asset.${code}`));

  /** list offers values, and above them none. */
  function list(select, values, nameOf) {
    select.replaceChildren(new Option(choose, ''), ...values.map((value) => new Option(nameOf(value), value)));
  }

  /** adapt shows the fields of what is chosen. */
  function adapt() {
    for (const group of form.querySelectorAll('[data-kind-of]')) group.hidden = group.dataset.kindOf !== kind();
    adaptToCountry();
    adaptToAsset();
  }

  /** adaptToCountry asks for what reaches a bank there. */
  function adaptToCountry() {
    const inUSA = country.value === 'US';
    $('#wire-parts').hidden = country.value === '';
    $('#wire-by-iban').hidden = inUSA;
    $('#wire-by-routing').hidden = !inUSA;
    $('#wire-account').required = inUSA;
    $('#wire-account-hint').textContent = t(inUSA ? 'disbursement.account.hint.US' : 'disbursement.account.hint');
    $('#wire-bic').required = !inUSA;
    $('label[for="wire-bic"] .optional').hidden = !inUSA;
  }

  /** adaptToAsset offers the networks that have it. One alone needs no choice. */
  function adaptToAsset() {
    const chosen = network.value;
    const names = networks.filter((n) => n.assets.includes(asset.value)).map((n) => n.name);
    list(network, names, (name) => t(`network.${name}`));
    network.value = names.length === 1 ? names[0] : names.includes(chosen) ? chosen : '';
    adaptToNetwork();
  }

  function adaptToNetwork() {
    const chosen = networks.find((n) => n.name === network.value);
    $('#wallet-parts').hidden = !chosen;
    $('#wallet-by-memo').hidden = !chosen?.memo;
    if (!chosen) return;
    $('#wallet-address-hint').textContent = t('disbursement.address.hint.of', { form: t(`address_form.${chosen.form}`) });
    if (!chosen.memo) return;
    $('label[for="wallet-memo"] .label').textContent = t(`disbursement.${chosen.memo}`);
    $('#wallet-memo-hint').textContent = t(`disbursement.${chosen.memo}.hint`);
    $('#wallet-memo').inputMode = chosen.memo === 'tag' ? 'numeric' : 'text';
  }

  for (const radio of form.elements.namedItem('kind')) {
    radio.addEventListener('change', () => {
      clear(form);
      adapt();
    });
  }
  country.addEventListener('change', adaptToCountry);
  asset.addEventListener('change', adaptToAsset);
  network.addEventListener('change', adaptToNetwork);

  function valueOf(field) {
    const value = said(field).replace(spaces, ' ');
    return withoutSpaces.has(placeOf(field).at(-1)) ? value.replaceAll(' ', '') : value;
  }

  return {
    /**
     * fillIn begins with a method that is to be replaced, or with what is known
     * of the customer. What is secret is in neither.
     */
    fillIn(method, me) {
      const known = { account_name: [me.first_name, me.middle_name, me.last_name].filter(Boolean).join(' '), beneficiary_address: me.address };
      for (const [name, value] of Object.entries(method ?? {})) {
        if (value !== null) known[name] = value;
      }
      const abroad = me.address && me.address.country !== 'US';
      form.elements.namedItem('kind').value = method?.type ?? (abroad ? 'wire_transfer' : 'ach');
      for (const field of fields) {
        if (field === network) adaptToAsset(); // or it is not offered yet
        field.value = placeOf(field).reduce((at, name) => at?.[name], known) ?? '';
      }
      for (const part of form.querySelectorAll('details')) part.open = fields.some((f) => part.contains(f) && f.value !== '');
      adapt();
    },

    /** read gives the method as the contract has it. What is not shown is not meant. */
    read() {
      const method = { type: kind() };
      for (const field of fields) {
        const value = valueOf(field);
        if (value === '' || field.closest('[hidden]')) continue;
        const place = placeOf(field);
        let at = method;
        for (const name of place.slice(0, -1)) at = at[name] ??= {};
        at[place.at(-1)] = value;
      }
      if (method.type === 'ach') method.currency = 'usd';
      if (method.type === 'wire_transfer' && !method.bank_iban && !method.bank_account_number) {
        throw new Problem({ code: 'invalid_request', errors: [{ pointer: '/method/bank_iban', code: 'account_required' }] });
      }
      return method;
    },
  };
}
