/** Every provider there is: one line each. */
export { kling } from './kling/provider.ts';
export { tencentVod } from './tencent-vod/provider.ts';
export { relay } from './relay/provider.ts';
