export { openai } from './openai/dialect.ts';
export { kling } from './kling/dialect.ts';
export { klingNewStandard } from './kling-new-standard/dialect.ts';
export { videoGenerations } from './video-generations/dialect.ts';
