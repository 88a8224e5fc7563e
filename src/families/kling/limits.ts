/** Limits and defaults that hold for the whole family. Sources: specs/kling.md, section in brackets. */

/** Seed 003 §3.1: absent seconds are a request for five, whatever is made (§8 row 24). */
export const secondsDefault = 5;
export const resolutionDefault = '720P';
/** Official default; seed 000's 1:1 loses (§8 row 14). */
export const aspectRatioDefault = '16:9';

/** §2.9, counted in characters; seed 004's 500 and 200 lose (§8 row 13). */
export const promptCharactersMax = 2500;

/** A shorter lip-sync is billed as five seconds (§8 row 25). */
export const lipSyncSecondsMin = 5;
/** identify-face takes films up to this long (§3.8). */
export const lipSyncSecondsMax = 60;
/** An avatar's sound file (§3.9). */
export const avatarSecondsMin = 2;
export const avatarSecondsMax = 300;
/** Motion control's reference video (§3.5): shorter where the picture leads. */
export const motionSecondsMin = 3;
export const motionSecondsMax = { image: 10, video: 30 };
/** A film to be edited has at most this length (§3.4). */
export const baseEditSecondsMax = 10;

/** §2.9: the same for every route. */
export const pictures = {
  contentTypes: ['image/png', 'image/jpeg'],
  bytesMax: 10 * 1024 * 1024,
  sideMin: 300,
  ratioMax: 2.5,
};

/** §3.4: pictures and elements together, without and with a reference video. */
export const omniItemsMax = { withoutVideo: 7, withVideo: 4 };
/** §3.1 */
export const voicesMax = 2;
/** §3.5 */
export const motionElementsMax = 1;
/** §3.2: motion masks only come in this length. */
export const maskSeconds = 5;
/** §3.15: the camera of 1.0 and 1.5 only moves in films of this length. */
export const cameraSeconds = 5;
