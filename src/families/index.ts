export { kling } from './kling/family.ts';
