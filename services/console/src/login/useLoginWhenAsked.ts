import { useEffect } from 'react';
import { useLocation, useNavigate } from 'react-router';
import { onUnauthorised } from '~/api/request';

/** Goes to the login page when the server asks for a key, and back afterwards. */
export function useLoginWhenAsked(): void {
  const navigate = useNavigate();
  const { pathname, search } = useLocation();
  useEffect(
    () =>
      onUnauthorised(
        () => void navigate(`/login?to=${encodeURIComponent(pathname + search)}`, { state: { keep: true } }),
      ),
    [navigate, pathname, search],
  );
}
