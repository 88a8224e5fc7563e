/**
 * Prices of features in thousandths of an official unit (specs/kling.md §7.4, "Other official units"). Picture packs
 * count in units of $0.0035, a fortieth of the unit.
 */
import type { PriceRow } from '../../../core/ports.ts';
import { lipSyncSecondsMin } from '../limits.ts';

/** One unit of the picture packs. */
const pictureUnit = 25;

const perSecond: Readonly<Record<string, number>> = {
  // Official 1 to 3.5 units by the source's model and mode, which a request does not tell: the dearest.
  'kling-video-extend': 700,
  'kling-multi-elements-std': 600,
  'kling-multi-elements-pro': 1000,
  // 0.5 units for five seconds.
  'kling-lip-sync-classic': 100,
  'kling-lip-sync-advanced': 100,
  // Effects are priced by template; these follow the films of the same model and mode.
  'kling-effects-duo-v1-std': 200,
  'kling-effects-duo-v1-pro': 700,
  'kling-effects-duo-v1-5-std': 400,
  'kling-effects-duo-v1-5-pro': 700,
  'kling-effects-duo-v1-6-std': 400,
  'kling-effects-duo-v1-6-pro': 700,
};

const perEffect: Readonly<Record<string, number>> = {
  // Ours, where the template's own price is not known: five seconds of 1.6, std for one picture, pro for two.
  'kling-effects-single': 2000,
  'kling-effects-duo': 3500,
};

const perCall: Readonly<Record<string, number>> = {
  'kling-identify-face-call': 50,
  // No official price is known.
  'kling-multi-elements-selection': 0,
  'kling-custom-element': 0,
  'kling-custom-voice': 50,
  'kling-text-to-audio': 250,
  'kling-video-to-audio': 250,
  'kling-text-to-speech': 50,
  'kling-image-recognize': 100,
  'kling-ai-multi-shot': 20 * pictureUnit,
};

const perPicture: Readonly<Record<string, number>> = {
  'kling-text-to-image-v1': pictureUnit,
  'kling-text-to-image-v1-5': 4 * pictureUnit,
  'kling-text-to-image-v1-5-i2i': 8 * pictureUnit,
  'kling-text-to-image-v2': 4 * pictureUnit,
  'kling-text-to-image-v2-i2i': 8 * pictureUnit,
  'kling-text-to-image-v2-new': 8 * pictureUnit,
  'kling-text-to-image-v2-1': 4 * pictureUnit,
  'kling-text-to-image-v3': 8 * pictureUnit,
  'kling-multi-image-to-image-v2': 16 * pictureUnit,
  'kling-multi-image-to-image-v2-1': 16 * pictureUnit,
  'kling-omni-image-o1': 8 * pictureUnit,
  'kling-omni-image-v3-omni': 8 * pictureUnit,
  'kling-omni-image-v3-omni-4k': 16 * pictureUnit,
  'kling-image-expand': 8 * pictureUnit,
  // $0.07
  'kling-virtual-try-on': 500,
};

const rows = (unit: string, sheet: Readonly<Record<string, number>>): PriceRow[] =>
  Object.entries(sheet).map(([tier, officialMilliUnits]) => ({
    tier,
    unit,
    officialMilliUnits,
    ...(tier.startsWith('kling-lip-sync') && { quantityMin: lipSyncSecondsMin }),
  }));

export const featurePrices: PriceRow[] = [
  ...rows('second', perSecond),
  ...rows('effect', perEffect),
  ...rows('call', perCall),
  ...rows('image', perPicture),
];
