/** Whether this browser has logged in: the cookie itself is out of a page's sight. */
import { request } from '~/api/request';

const KEY = 'millrace-session';

export interface Session {
  name: string;
  scope: string;
  expires_at: number;
}

export async function logIn(key: string): Promise<Session> {
  const session = await request<Session>('/session', { method: 'POST', body: { key } });
  localStorage.setItem(KEY, JSON.stringify(session));
  return session;
}

export async function logOut(): Promise<void> {
  await request('/session', { method: 'DELETE' });
  localStorage.removeItem(KEY);
}

/** Who logged in here, until the session ends. */
export function currentSession(): Session | null {
  try {
    const session = JSON.parse(localStorage.getItem(KEY) ?? 'null') as Session | null;
    return session && session.expires_at > Date.now() ? session : null;
  } catch {
    return null;
  }
}
