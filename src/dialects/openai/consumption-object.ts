/** ConsumeCallbackEvent and ConsumeCallbackAck: seed 000 names them, specs/image-audio-systems.md §3.3 shapes them. */
import { z } from 'zod';
import { CONSUMPTION_EVENT_TYPES } from '../../core/webhook.ts';

const unixSeconds = z.number().int().meta({ description: 'Unix seconds.' });
const money = z.string().meta({ description: 'A decimal amount.' });

const eventExample = {
  id: 'evt_0Qk3XhV7bT2mYwLr9sJfN4cP',
  object: 'event' as const,
  type: 'consume.settled' as const,
  created_at: 1780891600,
  sequence: 42,
  api_version: '2026-11-20',
  data: {
    entry_id: 'pst_0Qk3XhV7bT2mYwLr9sJfN4cP',
    task_id: 'task_0Qk3XhV7bT2mYwLr9sJfN4cPzDqGa8Ue',
    external_task_id: 'order-7',
    api_key_id: 'key_0Qk3XhV7bT2mYwLr9sJfN4cP',
    key_name: 'shop',
    system: 'video',
    action: 'text-to-video',
    model: 'kling-2.5-720p-mute',
    model_requested: 'kling-2.5',
    status: 'completed' as const,
    unit: 'second',
    quantity: '5',
    unit_price: '0.042',
    amount: '0.21',
    currency: 'USD',
    balance_after: '99.79',
    note: null,
    occurred_at: 1780891541,
    settled_at: 1780891600,
    metadata: {},
  },
};

export const consumeCallbackEvent = z
  .looseObject({
    id: z.string().meta({ description: 'The same at every try; also the `webhook-id` header.' }),
    object: z.literal('event'),
    type: z.enum(CONSUMPTION_EVENT_TYPES),
    created_at: unixSeconds,
    sequence: z.number().int().meta({ description: 'From 1, per account, without gaps.' }),
    api_version: z.string(),
    data: z.looseObject({
      entry_id: z.string().meta({ description: 'The posting in the ledger.' }),
      task_id: z.string().optional(),
      external_task_id: z.string().nullable().optional(),
      api_key_id: z.string().optional(),
      key_name: z.string().nullable().optional(),
      system: z.string().optional().meta({ description: '`video`, `image`, `audio`, …' }),
      action: z.string().optional(),
      model: z.string().optional().meta({ description: 'The billing tier.' }),
      model_requested: z.string().optional(),
      status: z.enum(['completed', 'failed']).optional(),
      unit: z.string().optional(),
      quantity: z.string().optional(),
      unit_price: money.optional(),
      amount: money.meta({ description: 'Taken from the wallet; below zero where money came back.' }),
      currency: z.string(),
      balance_after: money.meta({ description: 'Available and held together.' }),
      note: z.string().nullable(),
      occurred_at: unixSeconds.optional(),
      settled_at: unixSeconds,
      metadata: z.looseObject({}).optional(),
    }),
  })
  .meta({
    id: 'ConsumeCallbackEvent',
    description: 'One charge, refund or correction: the sum of the amounts is the statement.',
    examples: [eventExample],
  });

export type ConsumeCallbackEvent = z.output<typeof consumeCallbackEvent>;

export const consumeCallbackAck = z
  .looseObject({
    code: z.number().optional().meta({ description: '0, or absent: booked. Anything else: send it again.' }),
    message: z.string().optional(),
    event_id: z.string().optional(),
    success: z.boolean().optional().meta({ description: 'False: send it again.' }),
  })
  .meta({
    id: 'ConsumeCallbackAck',
    description:
      'What a receiver may answer. Any 2xx acknowledges, unless its JSON says otherwise; 409 does, too: booked already.',
    examples: [{ code: 0, message: '', event_id: 'evt_0Qk3XhV7bT2mYwLr9sJfN4cP' }],
  });

export const consumeCallbackEventList = z
  .object({ object: z.literal('list'), data: z.array(consumeCallbackEvent), has_more: z.boolean() })
  .meta({
    id: 'ConsumeCallbackEventList',
    description: 'Events in the order of their sequence.',
    examples: [{ object: 'list', data: [eventExample], has_more: false }],
  });
