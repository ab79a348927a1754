// Judges wallet addresses with two implementations that share nothing with
// ours. Standard input is a JSON array of {network, address}; standard output is
// one of {multicoin, second, curve}: whether each takes the address for one of
// the network, and for Solana whether it is a point of the curve.
//
// ESCROW_ORACLES is a folder whose node_modules has what package.json lists.
import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const require = createRequire(join(resolve(process.env.ESCROW_ORACLES ?? '.'), 'package.json'))
const multicoin = require('multicoin-address-validator')
const { address: segwit } = require('bitcoinjs-lib')
const bs58check = require('bs58check').default
const ethers = require('@ethersproject/address')
const ripple = require('ripple-address-codec')
const { StrKey } = require('@stellar/stellar-base')
const solana = require('@solana/addresses')

// How multicoin-address-validator calls the networks. It checks the form of
// Ethereum for every network of its kind; those it does not know go by its name.
const tickers = {
  bitcoin: 'btc', litecoin: 'ltc', tron: 'trx', solana: 'sol', xrp_ledger: 'xrp', stellar: 'xlm',
  ethereum: 'eth', bsc: 'bnb', arbitrum: 'arb', avalanche_c: 'avax',
}

const whether = (f) => { try { return Boolean(f()) } catch { return false } }

// bitcoinjs-lib decodes; which versions and lengths are addresses is BIP 141 and
// BIP 350 again.
const bitcoinLike = (versions, prefix) => (address) =>
  whether(() => versions.includes(segwit.fromBase58Check(address).version)) ||
  whether(() => {
    const { version, data, prefix: found } = segwit.fromBech32(address)
    if (found !== prefix || version > 16 || data.length < 2 || data.length > 40) return false
    return version > 0 || data.length === 20 || data.length === 32
  })

const ethereum = (address) => address.startsWith('0x') && ethers.isAddress(address)

const second = {
  bitcoin: bitcoinLike([0x00, 0x05], 'bc'),
  litecoin: bitcoinLike([0x30, 0x32, 0x05], 'ltc'),
  ethereum, polygon: ethereum, bsc: ethereum, arbitrum: ethereum, optimism: ethereum, base: ethereum, avalanche_c: ethereum,
  tron: (address) => { const raw = bs58check.decode(address); return raw.length === 21 && raw[0] === 0x41 },
  solana: solana.isAddress,
  xrp_ledger: ripple.isValidClassicAddress,
  stellar: (address) => StrKey.isValidEd25519PublicKey(address),
}

const input = JSON.parse(readFileSync(0, 'utf8'))
const output = input.map(({ network, address }) => ({
  multicoin: whether(() => multicoin.validate(address, tickers[network] ?? 'eth')),
  second: whether(() => second[network](address)),
  curve: network === 'solana' && whether(() => solana.isAddress(address) && !solana.isOffCurveAddress(address)),
}))
process.stdout.write(JSON.stringify(output))
