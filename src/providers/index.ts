/** Every provider there is: one line each. */
export { kling } from './kling/provider.ts';
