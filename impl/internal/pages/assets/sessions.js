import { api } from './api.js';
import { $, clear, element, notice, onClick, showProblem } from './form.js';
import { momentOf, t } from './text.js';

// In this order: most browsers call themselves by the names of others, too.
const browsers = [['Edg', 'Edge'], ['OPR', 'Opera'], ['SamsungBrowser', 'Samsung Internet'], ['Firefox', 'Firefox'], ['FxiOS', 'Firefox'], ['Chrome', 'Chrome'], ['CriOS', 'Chrome'], ['Safari', 'Safari']];
const systems = [['iPhone', 'iPhone'], ['iPad', 'iPad'], ['Android', 'Android'], ['Windows', 'Windows'], ['Mac OS X', 'macOS'], ['CrOS', 'ChromeOS'], ['Linux', 'Linux']];

function deviceOf(agent) {
  const find = (list) => list.find(([sign]) => agent.includes(sign))?.[1];
  return t('sessions.device', { browser: find(browsers) ?? t('sessions.browser'), system: find(systems) ?? t('sessions.system') });
}

/** Where the customer is logged in. */
export function sessions(page) {
  const section = $('#sessions');
  const heading = $('h2', section);
  const others = $('#end-others');
  let list = [];

  async function load() {
    list = (await page.own(api.listSessions())).sessions;
    others.hidden = list.filter((s) => !s.current).length < 2;
    $('#session-list').replaceChildren(...list.map(item));
  }

  function item(session) {
    const device = deviceOf(session.user_agent);
    const times = { seen: momentOf(session.last_seen_at), begun: momentOf(session.created_at), ip: session.ip };
    const name = element('p', { className: 'device', textContent: device });
    const made = element('li', {}, element('div', {}, name, element('p', { className: 'detail', textContent: t('sessions.detail', times) })));
    if (session.current) {
      name.append(' ', element('span', { className: 'badge good', textContent: t('sessions.current') }));
      return made;
    }
    const button = element('button', { type: 'button', textContent: t('sessions.end'), ariaLabel: t('sessions.end.label', { device, seen: times.seen }) });
    made.append(button);
    onClickIn(button, async () => {
      await end(session);
      notice(section, t('sessions.ended'));
    });
    return made;
  }

  /** end ends a session; one that has ended by itself is as good. */
  async function end(session) {
    try {
      await page.own(api.endSession(session.id));
    } catch (problem) {
      if (problem.code !== 'session_not_found') throw problem;
    }
  }

  /** onClickIn does something, and then shows what is left. */
  function onClickIn(button, act) {
    onClick(button, section, async () => {
      await act();
      await load();
      heading.focus();
    });
  }

  // The button is the section's own, so its message is the section's, too.
  $('#session-list').addEventListener('click', () => notice(section, ''));
  onClickIn(others, async () => {
    for (const session of list.filter((s) => !s.current)) await end(session);
    notice(section, t('sessions.ended.all'));
  });

  return {
    async update() {
      clear(section);
      await load().catch((problem) => showProblem(section, problem, () => this.update()));
    },
  };
}
