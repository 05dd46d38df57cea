import {
  useLocation,
  useSearchParams,
  type SetURLSearchParams,
  type URLSearchParamsInit,
} from 'react-router';

interface Address {
  params: URLSearchParams;
  /** Names a value in the address, or takes it out; the others stay. */
  set(name: string, value: string | null): void;
  /** Puts these in the place of all that are there. */
  setAll(next: URLSearchParamsInit): void;
  setParams: SetURLSearchParams;
}

/** What the page's address says behind its question mark: filters and views, which links and reloads keep. */
export function useAddress(): Address {
  const [params, setParams] = useSearchParams();
  const { state } = useLocation();
  // It stays the same page: what goes along with its address, such as where a run was started, goes on with it.
  const setAll = (next: URLSearchParamsInit): void => setParams(next, { replace: true, state });
  const set = (name: string, value: string | null): void => {
    const next = new URLSearchParams(params);
    if (value) next.set(name, value);
    else next.delete(name);
    setAll(next);
  };
  return { params, set, setAll, setParams };
}
