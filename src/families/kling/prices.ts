/**
 * The default price sheet in thousandths of an official unit per second (specs/kling.md §7.4; official list prices,
 * 2025-2026). Operators lay their own over it.
 */
import type { PriceRow } from '../../core/ports.ts';
import { featurePrices } from './features/prices.ts';
import { lipSyncSecondsMin } from './limits.ts';

/** Tier -> thousandths of a unit per second. */
const sheet: Readonly<Record<string, number>> = {
  'kling-1.0-720p': 200,
  'kling-1.0-1080p': 700,
  'kling-1.5-720p': 400,
  'kling-1.5-1080p': 700,
  // Ours: 1.6 costs what 1.5 costs (§8 row 20).
  'kling-1.6-720p': 400,
  'kling-1.6-1080p': 700,
  'kling-2.0-720p': 2000,
  'kling-2.0-1080p': 2000,
  'kling-2.1-720p': 400,
  'kling-2.1-1080p': 700,
  'kling-2.5-720p-mute': 300,
  'kling-2.5-1080p-mute': 500,
  'kling-2.5-720p-sound': 1000,
  'kling-2.5-1080p-sound': 1000,
  'kling-2.5-motion-std-720p': 500,
  // Only the upstream's pro mode makes these three.
  'kling-2.5-motion-std-1080p': 800,
  'kling-2.5-motion-pro-720p': 800,
  'kling-2.5-motion-pro-1080p': 800,
  'kling-3.0-720p-mute': 600,
  'kling-3.0-720p-sound': 900,
  'kling-3.0-1080p-mute': 800,
  'kling-3.0-1080p-sound': 1200,
  'kling-3.0-4k-mute': 3000,
  'kling-3.0-4k-sound': 3000,
  // Always with sound; the platform's update list of 2026-06-17.
  'kling-3.0-turbo-720p': 800,
  'kling-3.0-turbo-1080p': 1000,
  // By level, whatever the grade (§8 row 1).
  'kling-3.0-motion-std-720p': 900,
  'kling-3.0-motion-std-1080p': 900,
  'kling-3.0-motion-pro-720p': 1200,
  'kling-3.0-motion-pro-1080p': 1200,
  'kling-3.0-omni-720p-noref-mute': 600,
  'kling-3.0-omni-720p-noref-sound': 800,
  'kling-3.0-omni-720p-ref-mute': 900,
  'kling-3.0-omni-720p-ref-sound': 1100,
  'kling-3.0-omni-1080p-noref-mute': 800,
  'kling-3.0-omni-1080p-noref-sound': 1000,
  'kling-3.0-omni-1080p-ref-mute': 1200,
  'kling-3.0-omni-1080p-ref-sound': 1400,
  'kling-o1-720p': 600,
  'kling-o1-1080p': 800,
  'kling-avatar-720p': 400,
  'kling-avatar-1080p': 800,
  'kling-identify-face': 100,
};

const row = (tier: string, officialMilliUnits: number, narrowing: Partial<PriceRow> = {}): PriceRow => ({
  tier,
  unit: 'second',
  officialMilliUnits,
  ...narrowing,
});

export const prices: PriceRow[] = [
  ...Object.entries(sheet).map(([tier, milliUnits]) =>
    row(tier, milliUnits, tier === 'kling-identify-face' ? { quantityMin: lipSyncSecondsMin } : {}),
  ),
  // Text to video at 2.1 is the master's work (§8 row 20), and so is a picture when the master is asked by name:
  // the maker's price for it does not depend on what it is given.
  ...['kling-2.1-720p', 'kling-2.1-1080p'].flatMap((tier) => [
    row(tier, 2000, { operation: 'text-to-video' }),
    row(tier, 2000, { model: 'kling-v2-1-master' }),
  ]),
  // O1 has no tier for references, only a price.
  row('kling-o1-720p', 900, { surcharge: 'ref' }),
  row('kling-o1-1080p', 1200, { surcharge: 'ref' }),
  // 2.6 with a voice of the caller's choice.
  row('kling-2.5-720p-sound', 1200, { surcharge: 'voice' }),
  row('kling-2.5-1080p-sound', 1200, { surcharge: 'voice' }),
  ...featurePrices,
];
