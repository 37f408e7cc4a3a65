import { end } from '../support/ends.js'

const [from, how, common] = process.argv.slice(2) as [string, string, string]
end({ from, how, common: common === 'common' })
