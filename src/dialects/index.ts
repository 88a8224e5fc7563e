export { openai } from './openai/dialect.ts';
export { kling } from './kling/dialect.ts';
export { videoGenerations } from './video-generations/dialect.ts';
