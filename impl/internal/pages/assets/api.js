// The operations of the contract that the pages use.
const base = '/api/v1/escrow/customer';

// How long an answer may take until the network is taken to be down.
const patience = 30_000;

/** Problem is a request that failed: an RFC 9457 problem, or no answer at all. */
export class Problem extends Error {
  constructor({ status = 0, code, detail = '', errors = [], request_id: requestId = '' }, retryAfter = 0) {
    super(code);
    Object.assign(this, { status, code, detail, errors, requestId, retryAfter });
  }

  /** fault gives the fault at a place in the body, if there is one. */
  at(pointer) {
    return this.errors.find((e) => e.pointer === pointer);
  }
}

async function call(method, path, body) {
  let response;
  try {
    response = await fetch(base + path, {
      method,
      body: body && JSON.stringify(body),
      headers: { Accept: 'application/json, application/problem+json', ...(body && { 'Content-Type': 'application/json' }) },
      credentials: 'same-origin',
      cache: 'no-store',
      redirect: 'error',
      signal: AbortSignal.timeout?.(patience),
    });
    if (response.status === 204) return null;
    const content = await response.json();
    if (response.ok) return content;
    throw new Problem({ ...content, status: response.status }, Number(response.headers.get('Retry-After')) || 0);
  } catch (e) {
    if (e instanceof Problem) throw e;
    // An answer that is no JSON is of something between us and the server.
    throw new Problem({ code: response && response.status >= 500 ? 'internal_error' : 'network' });
  }
}

const post = (path, body) => call('POST', path, body);

export const api = {
  checkInvitation: (token) => post('/invitation/check', { token }),
  acceptInvitation: (token, password) => post('/invitation/accept', { token, password }),
  renewInvitation: (token) => post('/invitation/renew', { token }),
  signUp: (person) => post('/sign-up', person),
  checkEmailConfirmation: (token) => post('/email-confirmation/check', { token }),
  confirmEmail: (token, password) => post('/email-confirmation', { token, password }),
  logIn: (credentials) => post('/session', credentials),
  logOut: () => call('DELETE', '/session'),
  requestPasswordReset: (email) => post('/password-reset', { email }),
  checkPasswordReset: (token) => post('/password-reset/check', { token }),
  resetPassword: (token, password) => post('/password-reset/complete', { token, password }),
  listSessions: () => call('GET', '/sessions'),
  endSession: (id) => call('DELETE', `/sessions/${encodeURIComponent(id)}`),
  getMe: () => call('GET', '/me'),
  updateMe: (change) => call('PATCH', '/me', change),
  changePassword: (change) => post('/me/password', change),
  enrolTotp: (password) => post('/me/totp', { password }),
  confirmTotp: (code) => post('/me/totp/confirm', { code }),
  disableTotp: (password, code) => post('/me/totp/disable', { password, code }),
  exportMe: () => call('GET', '/me/export'),
  listDisbursementMethods: () => call('GET', '/me/disbursement-methods'),
  addDisbursementMethod: (password, method) => post('/me/disbursement-methods', { password, method }),
  replaceDisbursementMethod: (id, password, method) => call('PUT', `/me/disbursement-methods/${encodeURIComponent(id)}`, { password, method }),
  removeDisbursementMethod: (id, password) => post(`/me/disbursement-methods/${encodeURIComponent(id)}/remove`, { password }),
  setDefaultDisbursementMethod: (id, password) => post(`/me/disbursement-methods/${encodeURIComponent(id)}/default`, { password }),
  closeAccount: (proof) => post('/me/close', proof),
};
