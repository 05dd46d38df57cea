/** Logging in and out. A key opens a session, which is a cookie that pages cannot read; the key itself is not kept. */
import { request } from '~/api/request';
import type { Session } from '~/api/types';

export function logIn(key: string): Promise<Session> {
  return request<Session>('/session', { method: 'POST', body: { key } });
}

export function logOut(): Promise<void> {
  return request('/session', { method: 'DELETE' });
}
