import { useSearchParams, type SetURLSearchParams } from 'react-router';

interface Address {
  params: URLSearchParams;
  /** Names a value in the address, or takes it out; the others stay. */
  set(name: string, value: string | null): void;
  setParams: SetURLSearchParams;
}

/** What the page's address says behind its question mark: filters and views, which links and reloads keep. */
export function useAddress(): Address {
  const [params, setParams] = useSearchParams();
  const set = (name: string, value: string | null): void => {
    const next = new URLSearchParams(params);
    if (value) next.set(name, value);
    else next.delete(name);
    setParams(next, { replace: true });
  };
  return { params, set, setParams };
}
