/**
 * The networks and what is paid out on them, as the server knows them, in the
 * order in which they are offered. form is how an address looks, memo what may go
 * along with it.
 */
export const networks = [
  { name: 'bitcoin', assets: ['BTC'], form: 'bitcoin' },
  { name: 'ethereum', assets: ['ETH', 'USDT', 'USDC', 'DAI'], form: 'evm' },
  { name: 'tron', assets: ['TRX', 'USDT'], form: 'tron' },
  { name: 'solana', assets: ['SOL', 'USDT', 'USDC'], form: 'solana' },
  { name: 'xrp_ledger', assets: ['XRP', 'RLUSD'], form: 'ripple', memo: 'tag' },
  { name: 'stellar', assets: ['XLM', 'USDC'], form: 'stellar', memo: 'memo' },
  { name: 'litecoin', assets: ['LTC'], form: 'litecoin' },
  { name: 'polygon', assets: ['POL', 'USDT', 'USDC'], form: 'evm' },
  { name: 'bsc', assets: ['BNB', 'USDT', 'USDC'], form: 'evm' },
  { name: 'arbitrum', assets: ['ETH', 'USDT', 'USDC'], form: 'evm' },
  { name: 'optimism', assets: ['ETH', 'USDT', 'USDC'], form: 'evm' },
  { name: 'base', assets: ['ETH', 'USDC'], form: 'evm' },
  { name: 'avalanche_c', assets: ['AVAX', 'USDT', 'USDC'], form: 'evm' },
];

export const assets = [...new Set(networks.flatMap((n) => n.assets))];
