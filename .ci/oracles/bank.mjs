// Judges IBANs and BICs with ibantools. Standard input is a JSON array of {kind,
// value}, where kind is iban or bic; standard output is an array of the names of
// its findings with commas between them, empty for what it accepts.
//
// ESCROW_ORACLES is a folder whose node_modules has what package.json lists.
import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const require = createRequire(join(resolve(process.env.ESCROW_ORACLES ?? '.'), 'package.json'))
const { validateIBAN, validateBIC, isValidIBAN, isValidBIC, ValidationErrorsIBAN, ValidationErrorsBIC } = require('ibantools')

const judge = (validate, isValid, names) => (value) => {
  const { errorCodes } = validate(value)
  if ((errorCodes.length === 0) !== isValid(value)) throw new Error('ibantools disagrees with itself')
  return errorCodes.map((code) => names[code]).join()
}

const kinds = {
  iban: judge(validateIBAN, isValidIBAN, ValidationErrorsIBAN),
  bic: judge(validateBIC, isValidBIC, ValidationErrorsBIC),
}

const input = JSON.parse(readFileSync(0, 'utf8'))
process.stdout.write(JSON.stringify(input.map(({ kind, value }) => kinds[kind](value))))
