/** Logging in and out. A key opens a session, which is a cookie that pages cannot read; the key itself is not kept. */
import { request } from '~/api/request';
import type { Session } from '~/api/types';
import { notifyProblem } from '~/ui/notify';
import { forgetWork } from '~/workflows/draft';
import { giveUpWork, mayLeaveWork } from '~/workflows/unsaved';

export function logIn(key: string): Promise<Session> {
  return request<Session>('/session', { method: 'POST', body: { key } });
}

/** Ends the session. The page is loaded anew: nothing is left of what was seen. Work that is not saved is asked for before. */
export async function logOut(): Promise<void> {
  if (!mayLeaveWork()) return;
  try {
    await request('/session', { method: 'DELETE' });
    giveUpWork();
    forgetWork();
    window.location.assign('/login');
  } catch (error) {
    notifyProblem('You are still logged in', error);
  }
}
