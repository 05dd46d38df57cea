import { useEffect, useState } from 'react';
import { Sparkline } from '~/charts/Sparkline';
import { follow, quiet } from '../firehose';
import { Tile } from '../Tile';

const AVERAGED_SECONDS = 5;

/** What happens this second. */
export function LiveTile() {
  const [pulse, setPulse] = useState(quiet);
  useEffect(() => follow(setPulse), []);
  // The present second is not over.
  const lately = (counts: number[]) =>
    counts.slice(-AVERAGED_SECONDS - 1, -1).reduce((sum, count) => sum + count, 0) / AVERAGED_SECONDS;
  return (
    <Tile
      label={pulse.lost ? 'Now (reconnecting)' : 'Now'}
      value={`${lately(pulse.runs).toFixed(1)} runs/s`}
      note={`${lately(pulse.nodes).toFixed(1)} node runs/s`}
    >
      <Sparkline values={pulse.nodes.slice(0, -1)} colour="var(--state-running)" />
    </Tile>
  );
}
